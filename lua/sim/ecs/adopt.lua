--- Takes a recorded service over: its cluster, task definitions, history and tasks become this world's, under
-- their own names, and go on from where they stood. `sim.recorded` has checked what is read here.

local adopt_tasks = require "sim.ecs.adopt_tasks"
local durations = require "sim.facts.durations"
local history = require "sim.ecs.history"
local names = require "sim.ecs.names"
local texts = require "sim.facts.texts"
local util = require "sim.util"
local wake = require "sim.ecs.wake"

-- ---- clusters and definitions --------------------------------------------------------------------

local function add_cluster(world, shown)
  world:state("ecs").clusters[shown.cluster_name] = {
    name = shown.cluster_name, arn = shown.cluster_arn, status = shown.status or "ACTIVE", created_at = world:now(),
    tags = util.copy(shown.tags or {}), settings = util.copy(shown.settings or {}),
    configuration = util.copy(shown.configuration),
    service_connect_defaults = util.copy(shown.service_connect_defaults),
    capacity_providers = util.copy(shown.capacity_providers or {}),
    strategy = util.copy(shown.default_capacity_provider_strategy or {}), tasks = {},
  }
end

-- A cluster that could not be read is there all the same: its service is.
local function add_clusters(world, recorded)
  for _, shown in ipairs(recorded.clusters or {}) do
    add_cluster(world, shown)
  end
  for _, service in ipairs(recorded.services) do
    local name = util.last_part(service.cluster_arn)
    if not world:state("ecs").clusters[name] then
      add_cluster(world, { cluster_name = name, cluster_arn = service.cluster_arn })
    end
  end
end

-- Members that ECS always shows, in case a file was written by hand.
local function complete(view)
  view.volumes, view.placement_constraints = view.volumes or {}, view.placement_constraints or {}
  view.status, view.network_mode = view.status or "ACTIVE", view.network_mode or "awsvpc"
  view.compatibilities = view.compatibilities or { "EC2", "FARGATE" }
  for _, container in ipairs(view.container_definitions) do
    container.port_mappings = container.port_mappings or {}
    container.essential = container.essential ~= false
  end
  return view
end

local function add_definitions(world, recorded)
  local state = world:state("ecs")
  for _, found in ipairs(recorded.task_definitions or {}) do
    local view = complete(util.copy(found.task_definition))
    local family = state.families[view.family] or { latest = 0 }
    state.families[view.family] = family
    family.latest = math.max(family.latest, view.revision)
    local key = ("%s:%d"):format(view.family, view.revision)
    state.definitions[key] = { view = view, tags = util.copy(found.tags or {}) }
  end
end

-- ---- configurations ------------------------------------------------------------------------------

local revision_members = {
  "task_definition", "launch_type", "capacity_provider_strategy", "load_balancers", "service_registries",
  "network_configuration", "service_connect_configuration", "volume_configurations", "platform_version",
}

-- What a service, a deployment or a revision says of its configuration, over what `base` says.
local function config_of(shown, base)
  local config = util.copy(base or {})
  for _, name in ipairs(revision_members) do
    if shown[name] ~= nil then
      config[name] = util.copy(shown[name])
    end
  end
  if #(config.capacity_provider_strategy or {}) == 0 then
    config.capacity_provider_strategy = nil
  end
  return config
end

local function service_config(shown)
  local config = config_of(shown)
  config.propagate_tags, config.enable_ecs_managed_tags = shown.propagate_tags, shown.enable_ecs_managed_tags
  return config
end

-- ---- history -------------------------------------------------------------------------------------

local function of_service(list, arn)
  local out = {}
  for _, item in ipairs(list or {}) do
    out[#out + 1] = item.service_arn == arn and item or nil
  end
  return out
end

local function add_revisions(world, service, recorded)
  for _, shown in ipairs(of_service(recorded.service_revisions, service.arn)) do
    world:state("ecs").revisions[shown.service_revision_arn] = {
      arn = shown.service_revision_arn, service = service.key, created_at = shown.created_at,
      config = config_of(shown, { propagate_tags = service.config.propagate_tags,
        enable_ecs_managed_tags = service.config.enable_ecs_managed_tags }),
      images = util.copy(shown.container_images or {}),
    }
  end
end

local over = { SUCCESSFUL = true, STOPPED = true, ROLLBACK_SUCCESSFUL = true, ROLLBACK_FAILED = true }

local function watched_alarms(shown)
  local said, configured = shown.alarms, (shown.deployment_configuration or {}).alarms
  if configured or not said then
    return util.copy(configured)
  end
  return { enable = said.status ~= nil and said.status ~= "DISABLED", alarm_names = util.copy(said.alarm_names or {}) }
end

local function record_of(service, shown)
  local breaker, sources = shown.deployment_circuit_breaker or {}, {}
  for index, source in ipairs(shown.source_service_revisions or {}) do
    sources[index] = source.arn
  end
  local triggered = (shown.alarms or {}).triggered_alarm_names or {}
  local record = {
    arn = shown.service_deployment_arn, service = service.key, service_arn = service.arn, status = shown.status,
    status_reason = shown.status_reason, created_at = shown.created_at, started_at = shown.started_at,
    finished_at = shown.finished_at, stopped_at = shown.stopped_at, updated_at = shown.updated_at or shown.created_at,
    target = (shown.target_service_revision or {}).arn, sources = sources, breaker = breaker.status or "DISABLED",
    configuration = util.copy(shown.deployment_configuration or service.deployment_configuration),
    alarms = watched_alarms(shown), triggered = #triggered > 0 and util.copy(triggered) or nil,
    rollback = util.copy(shown.rollback), failure_count = breaker.failure_count,
  }
  if over[record.status] then
    record.source_counts = util.copy(shown.source_service_revisions or {})
    record.target_counts = util.copy(shown.target_service_revision or {})
    record.threshold = breaker.threshold
  end
  return record
end

-- What was about to happen to a service deployment still does.
local function go_on(world, record)
  if record.status == "PENDING" then
    world:after(durations.take(world, "service_deployment_start"), "ecs.begin", { arn = record.arn })
  elseif record.status == "ROLLBACK_REQUESTED" then
    world:after(durations.take(world, "rollback_request"), "ecs.roll_back", { arn = record.arn })
  elseif record.status == "ROLLBACK_IN_PROGRESS" then
    local how = record.triggered and "rolled_back_alarm" or "rolled_back"
    record.done_reason = texts.fill(texts.service_deployment[how], {})
  end
end

local function add_records(world, service, recorded)
  local list = of_service(recorded.service_deployments, service.arn)
  table.sort(list, function(a, b)
    if a.created_at ~= b.created_at then
      return a.created_at > b.created_at
    end
    return a.service_deployment_arn > b.service_deployment_arn
  end)
  for index, shown in ipairs(list) do
    local record = record_of(service, shown)
    world:state("ecs").service_deployments[record.arn] = record
    service.history[index] = record.arn
    go_on(world, record)
  end
end

-- ---- which revision a deployment runs ------------------------------------------------------------

-- The revision that a service deployment leads to, or has gone back to.
local function outcome_of(record)
  return record.rollback and record.rollback.service_revision_arn or record.target
end

local function has_definition(world, arn, definition)
  local revision = world:state("ecs").revisions[arn]
  return revision ~= nil and revision.config.task_definition == definition
end

-- ECS does not say which service revision an older deployment is of: it is one that runs now, of the same task
-- definition; else the newest of them. One that could not be read is made.
local function revision_of(world, service, shown, record, current, taken)
  local definition = shown.task_definition
  if record and shown.status == "PRIMARY" and has_definition(world, outcome_of(record), definition) then
    return outcome_of(record)
  end
  for _, running in ipairs(current) do
    if not taken[running.arn] and has_definition(world, running.arn, definition) then
      return running.arn
    end
  end
  local newest
  for arn, revision in util.sorted_pairs(world:state("ecs").revisions) do
    if revision.service == service.key and has_definition(world, arn, definition) and not taken[arn]
      and (not newest or revision.created_at > newest.created_at) then
      newest = revision
    end
  end
  return newest and newest.arn or history.revise(world, service, config_of(shown, service.config))
end

local function deployment_of(world, service, shown, record, current, taken)
  local revision = revision_of(world, service, shown, record, current, taken)
  taken[revision] = true
  local known = world:state("ecs").revisions[revision]
  local base = shown.status == "PRIMARY" and service.config or known.config
  return {
    id = shown.id, status = shown.status, config = config_of(shown, base), desired = shown.desired_count,
    failed_tasks = shown.failed_tasks or 0, created_at = shown.created_at, updated_at = shown.updated_at,
    rollout_state = shown.rollout_state or "COMPLETED", rollout_state_reason = shown.rollout_state_reason,
    revision = revision, service_deployment = shown.status == "PRIMARY" and service.current or nil,
  }
end

-- Alarms that a rollout watches are those that did not fire when it began; who fires now was not among them,
-- or the rollout would have failed.
local function watch_alarms(world, service, deployment)
  local configured = service.deployment_configuration.alarms
  if deployment.rollout_state ~= "IN_PROGRESS" or not configured or not configured.enable then
    return
  end
  deployment.watched_alarms = {}
  for _, name in ipairs(configured.alarm_names or {}) do
    if require("sim.cloudwatch").alarm_state(world, name) ~= "ALARM" then
      table.insert(deployment.watched_alarms, name)
    end
  end
end

local function add_deployments(world, service, shown)
  local record, taken = history.record(world, service.current or ""), {}
  for index, item in ipairs(shown.deployments) do
    local deployment = deployment_of(world, service, item, record, shown.current_service_revisions or {}, taken)
    watch_alarms(world, service, deployment)
    service.deployments[index] = deployment
  end
  local primary = service.deployments[1]
  if primary and record and record.rollback and primary.rollout_state == "IN_PROGRESS" then
    primary.rolls_back = service.deployments[2] and service.deployments[2].id or primary.id
  end
end

-- ---- what a rollback goes back to ----------------------------------------------------------------

local function as_completed(deployment)
  return { id = deployment.id, config = deployment.config, revision = deployment.revision,
    created_at = deployment.created_at }
end

-- From the history, when no deployment of then is listed any more.
local function completed_before(world, service)
  for _, arn in ipairs(service.history) do
    local record = history.record(world, arn)
    local good = record.status == "SUCCESSFUL" or record.status == "ROLLBACK_SUCCESSFUL"
    local revision = good and world:state("ecs").revisions[outcome_of(record) or ""]
    if revision and world:state("ecs").definitions[revision.config.task_definition:match("([^/]+)$")] then
      return { id = names.deployment(world), config = revision.config, revision = revision.arn,
        created_at = record.created_at }
    end
  end
end

local function last_completed(world, service)
  for _, deployment in ipairs(service.deployments) do
    if deployment.rollout_state == "COMPLETED" then
      return as_completed(deployment)
    end
  end
  local primary = service.deployments[1]
  return primary and not primary.rolls_back and completed_before(world, service) or nil
end

-- ---- the service ---------------------------------------------------------------------------------

local plain_members = {
  "placement_constraints", "placement_strategy", "enable_execute_command", "availability_zone_rebalancing",
}

local function new_service(shown)
  local cluster = util.last_part(shown.cluster_arn)
  local service = {
    key = cluster .. "/" .. shown.service_name, name = shown.service_name, cluster = cluster, arn = shown.service_arn,
    status = shown.status, desired = shown.desired_count, created_at = shown.created_at, asked = {},
    created_by = shown.created_by, config = service_config(shown), grace = shown.health_check_grace_period_seconds,
    deployment_configuration = util.copy(shown.deployment_configuration), tags = util.copy(shown.tags or {}),
    current = shown.current_service_deployment, events = util.copy(shown.events or {}), deployments = {}, tasks = {},
    history = {},
  }
  for _, name in ipairs(plain_members) do
    service[name] = util.copy(shown[name])
  end
  return service
end

-- Nothing has to be said of a service that was steady before.
local function note_steadiness(world, service, shown)
  local primary = service.deployments[1]
  service.steady = service.status == "ACTIVE" and #service.deployments == 1 and primary.rollout_state == "COMPLETED"
    and shown.running_count == shown.desired_count and (shown.pending_count or 0) == 0
  service.steady_at = service.steady and world:now() or nil
end

local function add_service(world, shown, recorded)
  local service = new_service(shown)
  world:state("ecs").services[service.key] = service
  add_revisions(world, service, recorded)
  add_records(world, service, recorded)
  add_deployments(world, service, shown)
  service.completed = last_completed(world, service)
  adopt_tasks.of_service(world, service, recorded.tasks or {})
  note_steadiness(world, service, shown)
  if service.status ~= "INACTIVE" then
    wake.in_about(world, service, "scheduler_pass")
  end
end

--- Makes `recorded` part of the world: {clusters, services, service_deployments, service_revisions,
-- task_definitions = list of {task_definition, tags}, tasks}, as Describe gives them.
return function(world, recorded)
  add_clusters(world, recorded)
  add_definitions(world, recorded)
  for _, shown in ipairs(recorded.services) do
    add_service(world, shown, recorded)
  end
end
