--- Deployments of a service: begun, completed, failed, rolled back.

local alarms = require "sim.ecs.alarms"
local durations = require "sim.facts.durations"
local events = require "sim.ecs.events"
local failures = require "sim.ecs.failures"
local history = require "sim.ecs.history"
local hooks = require "sim.ecs.hooks"
local names = require "sim.ecs.names"
local stages = require "sim.ecs.stages"
local stopping = require "sim.ecs.stopping"
local survey = require "sim.ecs.survey"
local texts = require "sim.facts.texts"
local traffic = require "sim.ecs.traffic"
local wake = require "sim.ecs.wake"

local deployments = { operations = {}, handlers = {} }

local function say(deployment, state, name, id)
  deployment.rollout_state = state
  deployment.rollout_state_reason = texts.fill(texts.rollout[name], { id = id or deployment.id })
end

-- ---- beginning -----------------------------------------------------------------------------------

-- What ran so far becomes an older deployment; its own history ends when it was not done yet.
local function supersede(world, service)
  local before = service.deployments[1]
  if not before then
    return
  end
  before.status = "ACTIVE"
  if before.rollout_state ~= "COMPLETED" then
    history.finish(world, service, before.service_deployment, "STOPPED",
      texts.fill(texts.service_deployment.superseded, {}))
  end
end

--- Begins a deployment of the service's configuration.
function deployments.begin(world, service)
  local now = world:now()
  supersede(world, service)
  local deployment = {
    id = names.deployment(world), status = "PRIMARY", config = service.config, desired = 0, failed_tasks = 0,
    created_at = now, updated_at = now,
  }
  table.insert(service.deployments, 1, deployment)
  stages.prepare(service, deployment)
  local shifts = deployment.strategy ~= nil and traffic.managed(service.config)
  deployment.revision = history.revise(world, service, service.config, deployment.swapped)
  deployment.service_deployment = history.open(world, service, deployment.revision, shifts)
  say(deployment, "IN_PROGRESS", "in_progress")
  alarms.watch(world, service, deployment)
  service.current = deployment.service_deployment
  service.steady, service.quiet_until = false, nil
  wake.in_about(world, service, "update_to_first_pass")
  return deployment
end

-- ---- the good end --------------------------------------------------------------------------------

--- The newest deployment is done: it is the only one from here on.
function deployments.complete(world, service)
  local deployment = service.deployments[1]
  say(deployment, "COMPLETED", "completed")
  deployment.updated_at = world:now()
  deployment.tripping = nil
  local record = history.record(world, deployment.service_deployment)
  if record and record.status == "ROLLBACK_IN_PROGRESS" then
    history.finish(world, service, record.arn, "ROLLBACK_SUCCESSFUL", record.done_reason)
  else
    history.finish(world, service, deployment.service_deployment, "SUCCESSFUL")
  end
  service.deployments = { deployment }
  service.completed = {
    id = deployment.id, config = deployment.config, revision = deployment.revision, created_at = deployment.created_at,
    swapped = deployment.swapped,
  }
  events.write(world, service, "completed", { id = deployment.id })
end

-- ---- the bad end ---------------------------------------------------------------------------------

local pending = { PROVISIONING = true, PENDING = true, ACTIVATING = true }

--- Stops the tasks of a deployment that do not run yet.
local function cancel_pending(world, service, deployment)
  local list, state = {}, world:state("ecs")
  for _, id in ipairs(service.tasks) do
    local task = state.tasks[id]
    if task.deployment == deployment.id and task.view.desired_status == "RUNNING"
      and pending[task.view.last_status] then
      list[#list + 1] = task
    end
  end
  if #list > 0 then
    deployments.stop(world, list)
    events.write(world, service, "cancelled", { n = tostring(#list) })
  end
end

--- Stops tasks as the scheduler's own move.
function deployments.stop(world, list)
  stopping.tell(world, list, {
    code = "ServiceSchedulerInitiated", voluntary = true,
    reason = function(task)
      return texts.fill(texts.stopped.scaling, { id = task.deployment })
    end,
  })
end

-- The last completed deployment takes its place again, under its old id.
local function restore(world, service, failed, reason)
  local last, back, list = service.completed, nil, {}
  for _, deployment in ipairs(service.deployments) do
    if deployment.id == last.id then
      back = deployment
    else
      deployment.status = "ACTIVE"
      list[#list + 1] = deployment
    end
  end
  back = back or {
    id = last.id, config = last.config, revision = last.revision, created_at = last.created_at, desired = 0,
    swapped = last.swapped,
  }
  back.status, back.failed_tasks, back.updated_at = "PRIMARY", 0, world:now()
  back.service_deployment, back.rolls_back = failed.service_deployment, failed.id
  failures.speed_up(back)
  say(back, "IN_PROGRESS", reason)
  table.insert(list, 1, back)
  failed.desired = 0
  service.deployments, service.config = list, last.config
  service.completed = nil -- until it is completed again, there is nothing to go back to
  if failed.strategy then
    back.owed = true
    stages.pay_back(world, service, survey.good(world, service, back))
  end
end

-- What each way to fail is called in events, states and histories, and whether it goes back.
local ways = {
  breaker = {
    event = "failed", state = "failed", back = "rolling_back", begun = "rolling_back", done = "rolled_back",
    stopped = "stopped",
    restores = function(service)
      return service.deployment_configuration.deployment_circuit_breaker.rollback == true
    end,
  },
  alarm = {
    event = "failed_alarm", state = "failed_alarm", back = "rolling_back_alarm", begun = "rolling_back_alarm",
    done = "rolled_back_alarm", stopped = "stopped_alarm",
    restores = function(service)
      return service.deployment_configuration.alarms.rollback == true
    end,
  },
  stage = { -- a lifecycle stage or its hook; what happened is said in words
    event = "stage_failed", state = "failed_stage", back = "rolling_back_request",
    restores = function()
      return true
    end,
  },
  request = {
    state = "stopped", back = "rolling_back_request", begun = "rolling_back_request", done = "rolled_back_request",
    stopped = "no_candidate",
    restores = function()
      return true
    end,
  },
}

-- It stays where it is, and starts nothing more.
local function stay_failed(world, service, deployment, way, wanted_back)
  local words = texts.service_deployment
  local record = history.record(world, deployment.service_deployment)
  local reason, status = words[way.stopped or "stopped"], "STOPPED"
  if record and record.status == "ROLLBACK_IN_PROGRESS" then
    reason, status = words.rollback_failed, "ROLLBACK_FAILED"
  elseif wanted_back then
    reason, status = words.no_candidate, "ROLLBACK_FAILED"
  end
  history.finish(world, service, deployment.service_deployment, status, texts.fill(reason, {}))
end

local function tell_of_failure(world, service, deployment, way, reason)
  if way.event and deployment.strategy then
    events.write(world, service, "stage_failed", { why = reason })
  elseif way.event then
    events.write(world, service, way.event, { id = deployment.id })
  end
end

--- The newest deployment has failed. `why`: "breaker", "alarm" or "request", or "stage" with the `reason` in words.
function deployments.fail(world, service, why, reason)
  local deployment, way = service.deployments[1], ways[why]
  local record = history.record(world, deployment.service_deployment)
  if record and why == "breaker" then
    record.breaker, record.failure_count = "TRIGGERED", deployment.failed_tasks
  end
  say(deployment, "FAILED", way.state)
  deployment.updated_at, deployment.tripping = world:now(), nil
  local begun = reason or texts.fill(texts.service_deployment[way.begun], {})
  local done = reason or texts.fill(texts.service_deployment[way.done], {})
  cancel_pending(world, service, deployment)
  tell_of_failure(world, service, deployment, way, done)
  local wanted_back = way.restores(service)
  if not wanted_back or not service.completed then
    stay_failed(world, service, deployment, way, wanted_back)
  else
    events.write(world, service, "rolling_back", { id = service.completed.id }, 1)
    history.roll_back(world, deployment.service_deployment, service.completed.revision, begun)
    if record then
      record.done_reason = done
      stages.note_rollback(record, deployment)
    end
    restore(world, service, deployment, way.back)
  end
  service.steady = false
  wake.only_in(world, service, "rollback_to_first_pass")
end

--- The circuit breaker trips, unless the deployment has recovered or is over.
function deployments.handlers.trip(world, args)
  local service = world:state("ecs").services[args.service]
  local deployment = service and service.deployments[1]
  if not deployment or deployment.id ~= args.deployment or deployment.rollout_state ~= "IN_PROGRESS" then
    return
  end
  deployment.tripping = nil
  if service.status == "ACTIVE" and failures.watched(service)
    and deployment.failed_tasks >= failures.threshold(service) then
    deployments.fail(world, service, "breaker")
  end
end

-- ---- stopped on request --------------------------------------------------------------------------

--- A rollback that was asked for begins.
function deployments.handlers.roll_back(world, args)
  local record = history.record(world, args.arn)
  local service = record and world:state("ecs").services[record.service]
  local deployment = service and service.deployments[1]
  if record and record.status == "ROLLBACK_REQUESTED" and deployment and deployment.service_deployment == args.arn then
    deployments.fail(world, service, "request")
  end
end

-- A rollback begins soon; one that was asked for, or is under way, goes on.
local function request_rollback(world, record)
  if record.status == "PENDING" or record.status == "IN_PROGRESS" then
    record.status, record.updated_at = "ROLLBACK_REQUESTED", world:now()
    world:after(durations.take(world, "rollback_request"), "ecs.roll_back", { arn = record.arn })
  end
end

function deployments.operations.stop_service_deployment(world, input)
  local stop_type = input.stop_type or "ROLLBACK"
  if stop_type ~= "ROLLBACK" and stop_type ~= "ABORT" then
    texts.fail(world, "choice", { value = stop_type, name = "stopType" })
  end
  local record = history.named(world, input.service_deployment_arn)
  if history.is_over(record) then
    texts.fail(world, "deployment_over", { status = record.status })
  elseif stop_type == "ABORT" then
    texts.fail(world, "deployment_abort")
  end
  request_rollback(world, record)
  return { service_deployment_arn = record.arn }
end

--- Somebody answers a pause hook.
function deployments.operations.continue_service_deployment(world, input)
  local action = input.action or "CONTINUE"
  if action ~= "CONTINUE" and action ~= "ROLLBACK" then
    texts.fail(world, "choice", { value = action, name = "action" })
  end
  local record = history.named(world, input.service_deployment_arn)
  if history.is_over(record) then
    texts.fail(world, "continue_over")
  end
  local hook = hooks.find(world, record, input.hook_id)
  if record.status ~= "IN_PROGRESS" then
    texts.fail(world, "hook")
  end
  hooks.answer(world, record, hook, action)
  if action == "ROLLBACK" then
    request_rollback(world, record)
  end
  return { service_deployment_arn = record.arn }
end

return deployments
