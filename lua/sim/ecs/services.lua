--- Services: created, updated, deleted, described, listed.

local clusters = require "sim.ecs.clusters"
local configuration = require "sim.ecs.configuration"
local controllers = require "sim.ecs.controllers"
local definitions = require "sim.ecs.definitions"
local deployments = require "sim.ecs.deployments"
local history = require "sim.ecs.history"
local names = require "sim.ecs.names"
local texts = require "sim.facts.texts"
local traffic = require "sim.ecs.traffic"
local util = require "sim.util"
local wake = require "sim.ecs.wake"

local check_choice = configuration.check_choice

local services = { operations = {} }
local operations = services.operations

local describe_limit, page_limit = 10, 100

-- Fields that make up a service revision: a change of one of them is a new deployment.
local config_fields = {
  "task_definition", "network_configuration", "platform_version", "launch_type", "capacity_provider_strategy",
  "load_balancers", "service_registries", "service_connect_configuration", "volume_configurations",
  "propagate_tags", "enable_ecs_managed_tags",
}

-- Fields that take effect without one.
local plain_fields = {
  "placement_constraints", "placement_strategy", "enable_execute_command", "availability_zone_rebalancing",
}

local function not_simulated(world, what)
  world:fail("NotSimulated", ("The simulator does not have %s."):format(what), { status = 501 })
end

-- ---- checks --------------------------------------------------------------------------------------

local function check_kind(world, input)
  check_choice(world, "schedulingStrategy", input.scheduling_strategy, { "REPLICA", "DAEMON" })
  local controller = input.deployment_controller and input.deployment_controller.type or "ECS"
  check_choice(world, "deploymentController", controller, { "ECS", "CODE_DEPLOY", "EXTERNAL" })
  if input.scheduling_strategy == "DAEMON" then
    not_simulated(world, "services with the scheduling strategy DAEMON")
  elseif controller ~= "ECS" then
    not_simulated(world, "services with the deployment controller " .. controller)
  end
end

local function check_launch(world, config, definition)
  if config.launch_type and config.capacity_provider_strategy then
    texts.fail(world, "launch_and_strategy")
  end
  check_choice(world, "launchType", config.launch_type, { "EC2", "FARGATE", "EXTERNAL" })
  clusters.check_strategy(world, config.capacity_provider_strategy)
  local fargate = config.launch_type == "FARGATE" or config.capacity_provider_strategy
  if fargate and not util.holds(definition.compatibilities, "FARGATE") then
    texts.fail(world, "launch_type", { type = "FARGATE" })
  end
end

--- Checks that the network configuration fits the definition's network mode.
function services.check_network(world, network, definition)
  local vpc = network and network.awsvpc_configuration
  if definition.network_mode == "awsvpc" and (not vpc or #vpc.subnets == 0) then
    texts.fail(world, "network_missing")
  elseif definition.network_mode ~= "awsvpc" and vpc then
    texts.fail(world, "network_needless")
  end
  local ec2 = require "sim.ec2"
  for _, id in ipairs(vpc and vpc.subnets or {}) do
    if not ec2.subnet(world, id) then
      texts.fail(world, "subnet_missing", { id = id })
    end
  end
  for _, id in ipairs(vpc and vpc.security_groups or {}) do
    if not ec2.group(world, id) then
      texts.fail(world, "group_unknown", { id = id })
    end
  end
end

local function has_port(container, port)
  for _, mapping in ipairs(container.port_mappings) do
    if port and mapping.container_port == port then
      return true
    end
  end
  return false
end

local function check_balancer(world, balancer, definition)
  local container
  for _, item in ipairs(definition.container_definitions) do
    container = item.name == balancer.container_name and item or container
  end
  if not container then
    texts.fail(world, "container_missing", { name = tostring(balancer.container_name) })
  elseif not has_port(container, balancer.container_port) then
    texts.fail(world, "port_missing", { name = container.name, port = tostring(balancer.container_port) })
  end
  local group = balancer.target_group_arn and require("sim.elbv2").group(world, balancer.target_group_arn)
  if not group then
    texts.fail(world, "group_missing", { arn = tostring(balancer.target_group_arn) })
  elseif group.load_balancer_arns and #group.load_balancer_arns == 0 then
    texts.fail(world, "group_unattached", { arn = balancer.target_group_arn })
  end
end

local function check_config(world, config)
  local definition = definitions.usable(world, config.task_definition)
  config.task_definition = definition.task_definition_arn
  check_launch(world, config, definition)
  services.check_network(world, config.network_configuration, definition)
  for _, balancer in ipairs(config.load_balancers or {}) do
    check_balancer(world, balancer, definition)
  end
end

local function check_grace(world, seconds, config)
  if not seconds then
    return
  elseif seconds < 0 or seconds > 2147483647 then
    texts.fail(world, "grace_range")
  elseif #(config.load_balancers or {}) == 0 then
    texts.fail(world, "grace_without_balancer")
  end
end

local function check_count(world, count)
  if count and count < 0 then
    texts.fail(world, "desired_count")
  end
end

-- ---- showing -------------------------------------------------------------------------------------

local waiting = { PROVISIONING = true, PENDING = true, ACTIVATING = true }

-- Running and pending tasks of the service, and of each deployment by its id.
local function counts(world, service)
  local state, all, each = world:state("ecs"), { running = 0, pending = 0 }, {}
  for _, id in ipairs(service.tasks) do
    local task = state.tasks[id]
    local own = each[task.deployment] or { running = 0, pending = 0 }
    each[task.deployment] = own
    local status = task.view.last_status
    local name = status == "RUNNING" and "running" or waiting[status] and "pending"
    if name then
      all[name], own[name] = all[name] + 1, own[name] + 1
    end
  end
  return all, each
end

local function show_deployment(deployment, own)
  local config = deployment.config
  return {
    id = deployment.id, status = deployment.status, task_definition = config.task_definition,
    desired_count = deployment.desired, pending_count = own.pending, running_count = own.running,
    failed_tasks = deployment.failed_tasks, created_at = deployment.created_at, updated_at = deployment.updated_at,
    launch_type = config.launch_type, capacity_provider_strategy = config.capacity_provider_strategy,
    platform_version = "1.4.0", platform_family = "Linux",
    network_configuration = config.network_configuration, rollout_state = deployment.rollout_state,
    rollout_state_reason = deployment.rollout_state_reason,
    service_connect_configuration = config.service_connect_configuration,
    volume_configurations = config.volume_configurations,
  }
end

local role = "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"

local function show(world, service, include)
  local all, each = counts(world, service)
  local list, config = {}, service.config
  for index, deployment in ipairs(service.deployments) do
    list[index] = show_deployment(deployment, each[deployment.id] or { running = 0, pending = 0 })
  end
  local balanced = #(config.load_balancers or {}) > 0
  local out = {
    service_arn = service.arn, service_name = service.name,
    cluster_arn = world:arn("ecs", "cluster/" .. service.cluster),
    load_balancers = config.load_balancers or {}, service_registries = config.service_registries or {},
    status = service.status, desired_count = service.desired, running_count = all.running,
    pending_count = all.pending, launch_type = config.launch_type,
    capacity_provider_strategy = config.capacity_provider_strategy,
    platform_version = "1.4.0", platform_family = "Linux", task_definition = config.task_definition,
    deployment_configuration = service.deployment_configuration, deployments = list,
    role_arn = world:arn("iam", role):gsub(":iam:[^:]*:", ":iam::"), events = service.events,
    created_at = service.created_at, current_service_deployment = service.current,
    current_service_revisions = history.current_revisions(world, service),
    placement_constraints = service.placement_constraints or {},
    placement_strategy = service.placement_strategy or {}, network_configuration = config.network_configuration,
    health_check_grace_period_seconds = service.grace or balanced and 0 or nil,
    scheduling_strategy = "REPLICA", deployment_controller = { type = "ECS" }, created_by = service.created_by,
    enable_ecs_managed_tags = config.enable_ecs_managed_tags == true,
    propagate_tags = config.propagate_tags or "NONE",
    enable_execute_command = service.enable_execute_command == true,
    availability_zone_rebalancing = service.availability_zone_rebalancing or "ENABLED",
    tags = util.holds(include, "TAGS") and service.tags or nil,
  }
  return controllers.show(world, service, out, each)
end

services.show = show

-- ---- creating ------------------------------------------------------------------------------------

-- Where tasks run when the caller does not say: as the cluster's default strategy does, or on EC2.
local function default_launch(config, cluster)
  if config.launch_type or config.capacity_provider_strategy then
    return
  elseif #cluster.strategy > 0 then
    config.capacity_provider_strategy = util.copy(cluster.strategy)
  else
    config.launch_type = "EC2"
  end
end

local function config_of(input)
  local config = {}
  for _, name in ipairs(config_fields) do
    config[name] = util.copy(input[name])
  end
  if config.capacity_provider_strategy and #config.capacity_provider_strategy == 0 then
    config.capacity_provider_strategy = nil
  end
  return config
end

-- A service of this name is there: the same request once more gives it, another one is refused.
local function existing(world, service, asked)
  if service.status == "DRAINING" then
    texts.fail(world, "service_draining")
  elseif service.status == "INACTIVE" then
    return nil
  elseif not util.equal(service.asked, asked) then
    texts.fail(world, "service_in_use")
  end
  return service
end

function operations.create_service(world, input, caller)
  local cluster = names.cluster(world, input.cluster)
  if not names.valid(input.service_name) then
    texts.fail(world, "service_name")
  end
  local state, key = world:state("ecs"), cluster.name .. "/" .. input.service_name
  local asked = util.copy(input)
  asked.cluster, asked.client_token = cluster.name, nil
  local before = state.services[key] and existing(world, state.services[key], asked)
  if before then
    return { service = show(world, before, { "TAGS" }) }
  end
  check_kind(world, input)
  check_count(world, input.desired_count)
  local config = config_of(input)
  default_launch(config, cluster)
  if not config.task_definition then
    texts.fail(world, "definition_missing")
  end
  check_config(world, config)
  check_grace(world, input.health_check_grace_period_seconds, config)
  local laid_over = configuration.merge(world, input.deployment_configuration)
  configuration.check_balancers(world, laid_over, config.load_balancers)
  local service = {
    key = key, name = input.service_name, cluster = cluster.name, arn = world:arn("ecs", "service/" .. key),
    status = "ACTIVE", desired = input.desired_count or 0, created_at = world:now(), asked = asked,
    created_by = caller and caller.arn, config = config, grace = input.health_check_grace_period_seconds,
    deployment_configuration = laid_over,
    tags = util.copy(input.tags) or {}, deployments = {}, events = {}, tasks = {}, history = {},
  }
  for _, name in ipairs(plain_fields) do
    service[name] = util.copy(input[name])
  end
  state.services[key] = service
  require("sim.cloudwatch").wake(world) -- from now on there is something to measure
  deployments.begin(world, service)
  require("sim.cloudwatch").wake(world)
  return { service = show(world, service, { "TAGS" }) }
end

-- ---- updating ------------------------------------------------------------------------------------

-- Older deployments that keep up their tasks grow and shrink with the service.
local function scale(world, service, count)
  local before = service.desired
  if count == before then
    return
  end
  for index = 2, #service.deployments do
    local deployment = service.deployments[index]
    if before > 0 then
      deployment.desired = (deployment.desired * count + before // 2) // before
    end
  end
  service.desired, service.steady = count, false
  wake.in_about(world, service, "update_to_first_pass")
end

local function active_service(world, cluster, name)
  local service = names.service(world, cluster, name)
  if service.status ~= "ACTIVE" then
    texts.fail(world, "service_inactive")
  end
  return service
end

--- Sets the desired count, as auto scaling does.
function services.set_desired_count(world, cluster, name, count)
  local service = active_service(world, cluster, name)
  check_count(world, count)
  scale(world, service, count)
end

-- The configuration after an update, and whether it is another one.
local function updated_config(world, service, input)
  local config = util.copy(service.config)
  for _, name in ipairs(config_fields) do
    if input[name] ~= nil and name ~= "launch_type" then
      config[name] = util.copy(input[name])
    end
  end
  if input.capacity_provider_strategy then
    config.launch_type = nil
    if #input.capacity_provider_strategy == 0 then
      config.capacity_provider_strategy = service.config.capacity_provider_strategy
      config.launch_type = service.config.launch_type
    end
  end
  if input.task_definition or input.force_new_deployment then
    check_config(world, config)
  elseif not util.equal(config, service.config) then
    check_config(world, config)
  end
  return config, not util.equal(config, service.config)
end

function operations.update_service(world, input)
  local service = active_service(world, input.cluster, input.service)
  check_count(world, input.desired_count)
  check_kind(world, input)
  controllers.check_update(world, service, input)
  local config, changed = updated_config(world, service, input)
  local laid_over = configuration.merge(world, input.deployment_configuration, service.deployment_configuration)
  if changed or input.deployment_configuration then
    configuration.check_balancers(world, laid_over, config.load_balancers)
  end
  check_grace(world, input.health_check_grace_period_seconds, config)
  service.deployment_configuration = laid_over
  service.grace = input.health_check_grace_period_seconds or service.grace
  for _, name in ipairs(plain_fields) do
    if input[name] ~= nil then
      service[name] = util.copy(input[name])
    end
  end
  if input.desired_count then
    scale(world, service, input.desired_count)
  end
  if changed or input.force_new_deployment then
    service.config = config
    deployments.begin(world, service)
  end
  return { service = show(world, service, { "TAGS" }) }
end

-- ---- deleting ------------------------------------------------------------------------------------

function operations.delete_service(world, input)
  local service = active_service(world, input.cluster, input.service)
  if service.desired > 0 and not input.force then
    texts.fail(world, "service_scaled")
  end
  local primary = service.deployments[1]
  history.finish(world, service, primary.service_deployment, "STOPPED",
    texts.fill(texts.service_deployment.deleted, {}))
  service.status, service.desired, service.steady = "DRAINING", 0, false
  for _, deployment in ipairs(service.deployments) do
    deployment.desired = 0
  end
  wake.in_about(world, service, "service_gone")
  return { service = show(world, service, { "TAGS" }) }
end

-- ---- reading -------------------------------------------------------------------------------------

function operations.describe_services(world, input)
  if #input.services == 0 then
    texts.fail(world, "services_empty")
  elseif #input.services > describe_limit then
    texts.fail(world, "services_many")
  end
  local found, missing = {}, {}
  for _, text in ipairs(input.services) do
    local service, cluster, name = names.find_service(world, input.cluster, text)
    if service then
      found[#found + 1] = show(world, service, input.include)
    else
      missing[#missing + 1] = {
        arn = world:arn("ecs", ("service/%s/%s"):format(cluster.name, name)), reason = "MISSING",
      }
    end
  end
  return { services = found, failures = missing }
end

--- The task sets of a service; one that ECS deploys has none.
function operations.describe_task_sets(world, input)
  local service = names.service(world, input.cluster, input.service)
  local _, each = counts(world, service)
  local list = controllers.of(service) ~= "ECS" and controllers.task_sets(world, service, each) or {}
  local found, missing = controllers.chosen(list, input.task_sets)
  return { task_sets = found, failures = missing }
end

function operations.list_services(world, input)
  local cluster, arns = names.cluster(world, input.cluster), {}
  check_choice(world, "launchType", input.launch_type, { "EC2", "FARGATE", "EXTERNAL" })
  for _, service in util.sorted_pairs(world:state("ecs").services) do
    local fits = not input.launch_type or service.config.launch_type == input.launch_type
    if service.cluster == cluster.name and service.status ~= "INACTIVE" and fits
      and input.scheduling_strategy ~= "DAEMON" then
      arns[#arns + 1] = service.arn
    end
  end
  if not input.max_results then
    local page, token = world:page(arns, input.next_token, 10)
    return { service_arns = page, next_token = token }
  end
  local page, token = clusters.page(world, arns, input, page_limit)
  return { service_arns = page, next_token = token }
end

-- ---- for other services --------------------------------------------------------------------------

-- What a service's tasks use, in percent of what is reserved, when no scenario says anything.
local usual_load = { cpu = 3, memory = 25 }

-- What a scenario says holds for the number of tasks of then: more tasks share the same work.
local function load_of(world, service, running)
  local said = require("sim.faults").get(world, "load", service.name)
  if not said then
    service.load = nil
    return util.copy(usual_load)
  end
  local known = service.load
  if not known or not util.equal(known.said, said) then
    known = { said = util.copy(said), tasks = math.max(running, 1) }
    service.load = known
  end
  local cpu = (said.cpu or usual_load.cpu) * known.tasks / math.max(running, 1)
  return { cpu = math.min(cpu, 100), memory = said.memory or usual_load.memory }
end

--- Every service that is there, for metrics.
function services.all(world)
  local out = {}
  for _, service in util.sorted_pairs(world:state("ecs").services) do
    if service.status == "ACTIVE" then
      local all = counts(world, service)
      out[#out + 1] = {
        cluster = service.cluster, service = service.name, desired = service.desired, running = all.running,
        pending = all.pending, deployments = #service.deployments, load = load_of(world, service, all.running),
      }
    end
  end
  return out
end

--- Whether a deployment of the service is under way.
function services.deploying(world, cluster, name)
  local service = world:state("ecs").services[names.cluster_name(cluster) .. "/" .. util.last_part(name)]
  local primary = service and service.deployments[1]
  return primary ~= nil and primary.rollout_state == "IN_PROGRESS"
end

--- A target's health is another one: services that own it look.
function services.target_changed(world, group)
  for _, service in util.sorted_pairs(world:state("ecs").services) do
    if service.status == "ACTIVE" and traffic.uses(service.config, group) then
      wake.in_about(world, service, "unhealthy_reaction")
    end
  end
end

return services
