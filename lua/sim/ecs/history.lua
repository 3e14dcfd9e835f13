--- Service deployments and service revisions: what was deployed when, from what, and how it ended.

local definitions = require "sim.ecs.definitions"
local durations = require "sim.facts.durations"
local failures = require "sim.ecs.failures"
local hooks = require "sim.ecs.hooks"
local launch = require "sim.ecs.launch"
local names = require "sim.ecs.names"
local page_of = require("sim.ecs.clusters").page
local texts = require "sim.facts.texts"
local traffic = require "sim.ecs.traffic"
local util = require "sim.util"

local history = { operations = {}, handlers = {} }
local operations = history.operations

local kept = 90 * 24 * 3600 -- D
local page_limit, describe_limit = 100, 20

local over = {
  SUCCESSFUL = true, STOPPED = true, ROLLBACK_SUCCESSFUL = true, ROLLBACK_FAILED = true,
}

-- ---- making --------------------------------------------------------------------------------------

-- The images of a definition with the digests that their tags mean now.
local function pin_images(world, definition)
  local images = {}
  for index, container in ipairs(definition.container_definitions) do
    local found = launch.image(world, definition, container)
    images[index] = { container_name = container.name, image = container.image, image_digest = found and found.digest }
  end
  return images
end

--- A new service revision for a configuration; `swapped` when it uses the alternate target groups. Gives its ARN.
function history.revise(world, service, config, swapped)
  local arn = names.service_revision(world, service)
  world:state("ecs").revisions[arn] = {
    arn = arn, service = service.key, created_at = world:now(), config = config, swapped = swapped,
    images = pin_images(world, definitions.of(world, config.task_definition)),
  }
  return arn
end

-- The revisions of which tasks run, without `except`, newest deployment first.
local function running_revisions(service, except)
  local out = {}
  for _, deployment in ipairs(service.deployments) do
    if deployment.revision ~= except and not util.holds(out, deployment.revision) then
      out[#out + 1] = deployment.revision
    end
  end
  return out
end

--- A new service deployment of a revision; `shifts` when it shifts traffic. Gives its ARN.
function history.open(world, service, revision, shifts)
  local arn = names.service_deployment(world, service)
  local record = {
    arn = arn, service = service.key, service_arn = service.arn, created_at = world:now(), updated_at = world:now(),
    status = "PENDING", target = revision, sources = running_revisions(service, revision),
    configuration = service.deployment_configuration, shifts = shifts,
    breaker = failures.watched(service) and "MONITORING" or "DISABLED",
    alarms = service.deployment_configuration.alarms,
  }
  world:state("ecs").service_deployments[arn] = record
  table.insert(service.history, 1, arn)
  world:after(durations.take(world, "service_deployment_start"), "ecs.begin", { arn = arn })
  return arn
end

function history.handlers.begin(world, args)
  local record = world:state("ecs").service_deployments[args.arn]
  if record and record.status == "PENDING" then
    record.status = "IN_PROGRESS"
    record.started_at, record.updated_at = world:now(), world:now()
  end
end

--- The record of a service deployment.
function history.record(world, arn)
  return world:state("ecs").service_deployments[arn]
end

-- ---- counts --------------------------------------------------------------------------------------

local waiting = { PROVISIONING = true, PENDING = true, ACTIVATING = true }

-- How much of the traffic a revision gets, in percent.
local function weight_of(service, arn, kind)
  local sum = 0
  for _, deployment in ipairs(service.deployments) do
    if deployment.revision == arn then
      sum = sum + (deployment[kind] or 0)
    end
  end
  return sum + 0.0
end

-- How many tasks of a revision are wanted, running and pending now; with `shifts` how much traffic it gets.
local function summary(world, service, arn, shifts)
  local state, requested, running, pending = world:state("ecs"), 0, 0, 0
  for _, deployment in ipairs(service.deployments) do
    if deployment.revision == arn then
      requested = requested + deployment.desired
    end
  end
  for _, id in ipairs(service.tasks) do
    local task = state.tasks[id]
    if task.revision == arn and task.view.last_status == "RUNNING" then
      running = running + 1
    elseif task.revision == arn and waiting[task.view.last_status] then
      pending = pending + 1
    end
  end
  return {
    arn = arn, requested_task_count = requested, running_task_count = running, pending_task_count = pending,
    requested_production_traffic_weight = shifts and weight_of(service, arn, "production") or nil,
    requested_test_traffic_weight = shifts and weight_of(service, arn, "test") or nil,
  }
end

--- The revisions that a service runs now.
function history.current_revisions(world, service)
  local out = {}
  for index, arn in ipairs(running_revisions(service)) do
    out[index] = summary(world, service, arn)
  end
  return out
end

-- ---- ending --------------------------------------------------------------------------------------

local function summaries(world, service, record)
  local sources = {}
  for index, arn in ipairs(record.sources) do
    sources[index] = summary(world, service, arn, record.shifts)
  end
  return sources, summary(world, service, record.target, record.shifts)
end

--- The service deployment has come to an end; its counts stay as they are now.
function history.finish(world, service, arn, status, reason)
  local record = history.record(world, arn)
  if not record or over[record.status] then
    return
  end
  record.source_counts, record.target_counts = summaries(world, service, record)
  record.status, record.status_reason = status, reason or record.status_reason
  hooks.close(record)
  record.updated_at = world:now()
  record.started_at = record.started_at or world:now()
  if status == "STOPPED" then
    record.stopped_at = world:now()
  end
  record.finished_at = world:now()
  if record.breaker == "MONITORING" then
    record.breaker = "MONITORING_COMPLETE"
  end
  for _, deployment in ipairs(service.deployments) do
    if deployment.service_deployment == arn then
      record.failure_count = math.max(record.failure_count or 0, deployment.failed_tasks)
    end
  end
  record.threshold = failures.threshold(service)
end

--- The service deployment goes back to the revision of an earlier one.
function history.roll_back(world, arn, revision, reason)
  local record = history.record(world, arn)
  if not record or over[record.status] then
    return
  end
  record.status, record.status_reason, record.updated_at = "ROLLBACK_IN_PROGRESS", reason, world:now()
  record.started_at = record.started_at or world:now()
  record.rollback = { reason = reason, started_at = world:now(), service_revision_arn = revision }
end

-- ---- showing -------------------------------------------------------------------------------------

local function show_breaker(service, record)
  local count = record.failure_count or 0
  for _, deployment in ipairs(not over[record.status] and service.deployments or {}) do
    if deployment.service_deployment == record.arn then
      count = math.max(count, deployment.failed_tasks)
    end
  end
  return {
    status = record.breaker, failure_count = count, threshold = record.threshold or failures.threshold(service),
  }
end

local function show_alarms(record)
  local alarms = record.alarms
  if not alarms or not alarms.enable then
    return { status = "DISABLED", alarm_names = alarms and alarms.alarm_names or {}, triggered_alarm_names = {} }
  end
  local status = record.triggered and "TRIGGERED" or over[record.status] and "MONITORING_COMPLETE" or "MONITORING"
  return { status = status, alarm_names = alarms.alarm_names, triggered_alarm_names = record.triggered or {} }
end

local function show(world, record)
  local service = world:state("ecs").services[record.service]
  local sources, target = record.source_counts, record.target_counts
  if not target then
    sources, target = summaries(world, service, record)
  end
  return {
    service_deployment_arn = record.arn, service_arn = record.service_arn,
    cluster_arn = world:arn("ecs", "cluster/" .. service.cluster),
    created_at = record.created_at, started_at = record.started_at, finished_at = record.finished_at,
    stopped_at = record.stopped_at, updated_at = record.updated_at,
    source_service_revisions = sources, target_service_revision = target,
    status = record.status, status_reason = record.status_reason,
    deployment_configuration = record.configuration, rollback = record.rollback,
    lifecycle_stage = record.stage, lifecycle_hook_details = hooks.show(record),
    deployment_circuit_breaker = show_breaker(service, record), alarms = show_alarms(record),
  }
end

local function brief(world, service, record)
  return {
    service_deployment_arn = record.arn, service_arn = record.service_arn,
    cluster_arn = world:arn("ecs", "cluster/" .. service.cluster),
    created_at = record.created_at, started_at = record.started_at, finished_at = record.finished_at,
    target_service_revision_arn = record.target, status = record.status, status_reason = record.status_reason,
  }
end

local revision_fields = {
  "task_definition", "launch_type", "capacity_provider_strategy", "load_balancers", "service_registries",
  "network_configuration", "service_connect_configuration", "volume_configurations",
}

local function show_revision(world, revision)
  local service = world:state("ecs").services[revision.service]
  local out = {
    service_revision_arn = revision.arn, service_arn = service.arn,
    cluster_arn = world:arn("ecs", "cluster/" .. service.cluster), created_at = revision.created_at,
    container_images = revision.images, platform_version = "1.4.0", platform_family = "Linux",
    guard_duty_enabled = false, resolved_configuration = traffic.resolved(revision.config, revision.swapped),
  }
  for _, name in ipairs(revision_fields) do
    out[name] = revision.config[name]
  end
  return out
end

-- ---- operations ----------------------------------------------------------------------------------

local function in_range(record, range)
  return not range
    or (not range.after or record.created_at >= range.after) and (not range.before or record.created_at <= range.before)
end

function operations.list_service_deployments(world, input)
  local service = names.service(world, input.cluster, input.service)
  local found, oldest = {}, world:now() - kept
  local any = not input.status or #input.status == 0
  for _, arn in ipairs(service.history) do
    local record = history.record(world, arn)
    if record.created_at >= oldest and in_range(record, input.created_at)
      and (any or util.holds(input.status, record.status)) then
      found[#found + 1] = brief(world, service, record)
    end
  end
  if input.max_results then
    local page, token = page_of(world, found, input, page_limit)
    return { service_deployments = page, next_token = token }
  end
  local page, token = world:page(found, input.next_token, describe_limit)
  return { service_deployments = page, next_token = token }
end

function operations.describe_service_deployments(world, input)
  local found, missing = {}, {}
  for _, arn in ipairs(input.service_deployment_arns) do
    local record = history.record(world, arn)
    if record then
      found[#found + 1] = show(world, record)
    else
      missing[#missing + 1] = { arn = arn, reason = "MISSING" }
    end
  end
  return { service_deployments = found, failures = missing }
end

function operations.describe_service_revisions(world, input)
  local found, missing = {}, {}
  for _, arn in ipairs(input.service_revision_arns) do
    local revision = world:state("ecs").revisions[arn]
    if revision then
      found[#found + 1] = show_revision(world, revision)
    else
      missing[#missing + 1] = { arn = arn, reason = "MISSING" }
    end
  end
  return { service_revisions = found, failures = missing }
end

--- The service deployment that an operation names.
function history.named(world, arn)
  return history.record(world, arn) or texts.fail(world, "deployment_missing")
end

--- Whether a service deployment has come to an end.
function history.is_over(record)
  return over[record.status] == true
end

return history
