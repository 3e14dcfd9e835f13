--- Clusters and their capacity providers.

local names = require "sim.ecs.names"
local texts = require "sim.facts.texts"
local util = require "sim.util"

local clusters = { operations = {} }
local operations = clusters.operations

local page_limit = 100

-- What a setting may be; the first is the default.
local settings = { containerInsights = { "disabled", "enabled", "enhanced" } }

local providers = { "FARGATE", "FARGATE_SPOT" }

--- Checks a page size and cuts the page.
function clusters.page(world, list, input, limit)
  local size = input.max_results or limit
  if size < 1 or size > limit then
    texts.fail(world, "page_size", { high = tostring(limit) })
  end
  return world:page(list, input.next_token, size)
end

local function check_settings(world, given)
  for _, setting in ipairs(given or {}) do
    if not util.holds(settings[setting.name], setting.value) then
      texts.fail(world, "setting", { name = tostring(setting.name), value = tostring(setting.value) })
    end
  end
end

-- The account's default for container insights, unless the caller says otherwise.
local function merge_settings(world, given, before)
  local value = world:state("ecs").account.containerInsights or settings.containerInsights[1]
  for _, list in ipairs { before or {}, given or {} } do
    for _, setting in ipairs(list) do
      value = setting.value
    end
  end
  return { { name = "containerInsights", value = value } }
end

local function check_providers(world, list)
  for _, name in ipairs(list or {}) do
    if not util.holds(providers, name) then
      texts.fail(world, "capacity_provider", { name = name })
    end
  end
end

--- Checks a capacity provider strategy against what the cluster may use.
function clusters.check_strategy(world, strategy)
  for _, item in ipairs(strategy or {}) do
    check_providers(world, { item.capacity_provider })
  end
end

-- ---- showing -------------------------------------------------------------------------------------

local function counts(world, cluster)
  local state, running, pending, services = world:state("ecs"), 0, 0, 0
  for _, id in ipairs(cluster.tasks) do
    local status = state.tasks[id].view.last_status
    if status == "RUNNING" then
      running = running + 1
    elseif status == "PROVISIONING" or status == "PENDING" or status == "ACTIVATING" then
      pending = pending + 1
    end
  end
  for _, service in util.sorted_pairs(state.services) do
    if service.cluster == cluster.name and service.status == "ACTIVE" then
      services = services + 1
    end
  end
  return running, pending, services
end

-- Numbers of the cluster by launch type, for include STATISTICS.
local function statistics(running, pending, services)
  local values = {
    { "runningEC2TasksCount", 0 }, { "runningFargateTasksCount", running },
    { "pendingEC2TasksCount", 0 }, { "pendingFargateTasksCount", pending },
    { "activeEC2ServiceCount", 0 }, { "activeFargateServiceCount", services },
    { "drainingEC2ServiceCount", 0 }, { "drainingFargateServiceCount", 0 },
  }
  local out = {}
  for index, pair in ipairs(values) do
    out[index] = { name = pair[1], value = tostring(pair[2]) }
  end
  return out
end

local function show(world, cluster, include)
  local running, pending, services = counts(world, cluster)
  return {
    cluster_arn = cluster.arn, cluster_name = cluster.name, status = cluster.status,
    registered_container_instances_count = 0,
    running_tasks_count = running, pending_tasks_count = pending, active_services_count = services,
    statistics = util.holds(include, "STATISTICS") and statistics(running, pending, services) or {},
    tags = util.holds(include, "TAGS") and cluster.tags or {},
    settings = util.holds(include, "SETTINGS") and cluster.settings or {},
    configuration = util.holds(include, "CONFIGURATIONS") and cluster.configuration or nil,
    capacity_providers = cluster.capacity_providers,
    default_capacity_provider_strategy = cluster.strategy,
    service_connect_defaults = cluster.service_connect_defaults,
  }
end

local everything = { "STATISTICS", "TAGS", "SETTINGS", "CONFIGURATIONS" }

-- ---- operations ----------------------------------------------------------------------------------

function operations.create_cluster(world, input)
  local name = input.cluster_name or "default"
  if not names.valid(name) then
    texts.fail(world, "cluster_name")
  end
  check_settings(world, input.settings)
  check_providers(world, input.capacity_providers)
  clusters.check_strategy(world, input.default_capacity_provider_strategy)
  local state = world:state("ecs")
  local cluster = state.clusters[name]
  if not cluster or cluster.status ~= "ACTIVE" then -- making one that is there changes nothing
    cluster = {
      name = name, arn = world:arn("ecs", "cluster/" .. name), status = "ACTIVE", created_at = world:now(),
      tags = input.tags or {}, settings = merge_settings(world, input.settings),
      configuration = input.configuration, service_connect_defaults = input.service_connect_defaults,
      capacity_providers = input.capacity_providers or {},
      strategy = input.default_capacity_provider_strategy or {},
      tasks = {},
    }
    state.clusters[name] = cluster
  end
  return { cluster = show(world, cluster, everything) }
end

function operations.describe_clusters(world, input)
  local state, found, failures = world:state("ecs"), {}, {}
  local wanted = input.clusters
  if not wanted or #wanted == 0 then
    wanted = { "default" }
  end
  for _, text in ipairs(wanted) do
    local name = names.cluster_name(text)
    local cluster = state.clusters[name]
    if cluster then
      found[#found + 1] = show(world, cluster, input.include)
    else
      failures[#failures + 1] = { arn = world:arn("ecs", "cluster/" .. name), reason = "MISSING" }
    end
  end
  return { clusters = found, failures = failures }
end

function operations.list_clusters(world, input)
  local arns = {}
  for _, cluster in util.sorted_pairs(world:state("ecs").clusters) do
    if cluster.status == "ACTIVE" then
      arns[#arns + 1] = cluster.arn
    end
  end
  local page, token = clusters.page(world, arns, input, page_limit)
  return { cluster_arns = page, next_token = token }
end

function operations.update_cluster(world, input)
  local cluster = names.cluster(world, input.cluster)
  check_settings(world, input.settings)
  cluster.settings = merge_settings(world, input.settings, cluster.settings)
  cluster.configuration = input.configuration or cluster.configuration
  cluster.service_connect_defaults = input.service_connect_defaults or cluster.service_connect_defaults
  return { cluster = show(world, cluster, everything) }
end

function operations.update_cluster_settings(world, input)
  return operations.update_cluster(world, { cluster = input.cluster, settings = input.settings })
end

function operations.put_cluster_capacity_providers(world, input)
  local cluster = names.cluster(world, input.cluster)
  check_providers(world, input.capacity_providers)
  clusters.check_strategy(world, input.default_capacity_provider_strategy)
  cluster.capacity_providers = input.capacity_providers
  cluster.strategy = input.default_capacity_provider_strategy
  return { cluster = show(world, cluster, everything) }
end

function operations.delete_cluster(world, input)
  local cluster = names.cluster(world, input.cluster)
  local running, pending, services = counts(world, cluster)
  if services > 0 then
    texts.fail(world, "cluster_services")
  elseif running + pending > 0 then
    texts.fail(world, "cluster_tasks")
  end
  cluster.status = "INACTIVE"
  return { cluster = show(world, cluster, everything) }
end

function operations.describe_capacity_providers(world, input)
  local found, failures = {}, {}
  local wanted = input.capacity_providers
  if not wanted or #wanted == 0 then
    wanted = providers
  end
  for _, text in ipairs(wanted) do
    local name = util.last_part(text)
    if util.holds(providers, name) then
      found[#found + 1] = {
        capacity_provider_arn = world:arn("ecs", "capacity-provider/" .. name), name = name,
        status = "ACTIVE", tags = {}, type = name,
      }
    else
      failures[#failures + 1] = {
        arn = world:arn("ecs", "capacity-provider/" .. name), reason = "MISSING",
      }
    end
  end
  local page, token = clusters.page(world, found, input, 10)
  return { capacity_providers = page, failures = failures, next_token = token }
end

-- Fargate has no container instances that anyone could see.

function operations.list_container_instances(world, input)
  names.cluster(world, input.cluster)
  return { container_instance_arns = {} }
end

function operations.describe_container_instances(world, input)
  local cluster = names.cluster(world, input.cluster)
  local failures = {}
  for index, text in ipairs(input.container_instances) do
    local id = util.last_part(text)
    failures[index] = {
      arn = world:arn("ecs", ("container-instance/%s/%s"):format(cluster.name, id)), reason = "MISSING",
    }
  end
  return { container_instances = {}, failures = failures }
end

return clusters
