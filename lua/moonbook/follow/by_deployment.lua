--- What one look at a service deployment amounts to. This is ECS's own record of the deployment and how it
-- ended, so nothing has to be guessed: success is SUCCESSFUL and nothing else.
--
-- judge(state) gives an outcome when it is over, else nil; state.record is the service deployment as just
-- read, state.service the service, read when the record has changed, when it is old, and after judge() has
-- set state.look_again.

local dates = require "moonbook.dates"
local outcome = require "moonbook.follow.outcome"
local services = require "moonbook.services"

local by_deployment = {}

-- In the order ECS passes through them (spec/rollback-and-wait 3.3); some are skipped between two looks.
local stages = {}
for place, name in ipairs {
  "RECONCILE_SERVICE", "PRE_SCALE_UP", "SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT",
  "PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP",
} do
  stages[name] = place
end

--- Whether ECS shifts traffic from one group of targets to another, in stages.
function by_deployment.has_stages(record)
  local strategy = record.deployment_configuration and record.deployment_configuration.strategy
  return strategy ~= nil and strategy ~= "ROLLING"
end

local function running(record)
  local target = record.target_service_revision
  return target and target.running_task_count or 0
end

-- ---- why it did not go well ----------------------------------------------------------------------

--- Why ECS gave a deployment up, as far as its record says: "breaker", "alarm" or nil (somebody asked, or a
-- hook did), and a sentence.
function by_deployment.trigger(record)
  local breaker, alarms = record.deployment_circuit_breaker or {}, record.alarms or {}
  local triggered = alarms.triggered_alarm_names or {}
  -- Of what is over the status says it best, of what is under way the rollback.
  local reason = record.finished_at and record.status_reason or record.rollback and record.rollback.reason
    or record.status_reason
  if #triggered > 0 or alarms.status == "TRIGGERED" then
    return "alarm", reason or ("the alarm %s fired"):format(table.concat(triggered, ", "))
  elseif breaker.status == "TRIGGERED" then
    return "breaker", reason or ("%d tasks failed"):format(breaker.failure_count or 0)
  end
  return nil, reason
end

-- Whether somebody asked for the end. A hook that fails rolls back as well, and its reason says so.
local function was_asked(state)
  local trigger, reason = by_deployment.trigger(state.record)
  return trigger == nil and (state.asked or not (reason or ""):lower():find("hook", 1, true))
end

-- ---- ends ----------------------------------------------------------------------------------------

local ends = {}

function ends.SUCCESSFUL(state)
  local record = state.record
  return outcome.of(
    state,
    "completed",
    "%s runs %s: deployment %s is complete, %d of %d tasks running.",
    state.name,
    services.revision(state.wanted.task_definition),
    state.wanted.id or state.arn,
    running(record),
    record.target_service_revision and record.target_service_revision.requested_task_count or running(record)
  )
end

local LAG = 60 -- seconds for which a read of the service may be older than the record

-- Whether it is worth another look before a conclusion from the service: a read of it may lag.
local function may_be_stale(state)
  state.doubted_since = state.doubted_since or now()
  state.look_again = now() - state.doubted_since < LAG
  return state.look_again
end

-- Whether what ECS put back has tasks: a restored revision may be as broken as the new one.
local function serves(service)
  return service == nil or service.desired_count == 0 or (service.running_count or 0) > 0
end

function ends.ROLLBACK_SUCCESSFUL(state)
  if not serves(state.service) then
    if may_be_stale(state) then
      return nil
    end
    return outcome.of(
      state, "failed",
      "%s failed; ECS went back, but nothing runs: %s.",
      outcome.subject(state), outcome.standing(state.service)
    )
  end
  if was_asked(state) then
    return outcome.of(
      state, "stopped",
      "Somebody had deployment %s of %s stopped, and ECS went back: it runs %s.",
      state.wanted.id or state.arn, state.name, outcome.standing(state.service)
    )
  end
  return outcome.of(
    state, "rolled_back",
    "ECS rolled %s back: %s did not come up, and the service runs %s again.",
    state.name, services.revision(state.wanted.task_definition), outcome.standing(state.service)
  )
end

function ends.ROLLBACK_FAILED(state)
  return outcome.of(
    state, "failed",
    "%s failed, and so did ECS's rollback; the service is on %s.",
    outcome.subject(state), outcome.standing(state.service)
  )
end

-- STOPPED is what became of a deployment that a newer one replaced, of one that failed and is not rolled
-- back, and of one that somebody stopped.
function ends.STOPPED(state)
  if by_deployment.trigger(state.record) then
    return outcome.of(
      state, "failed",
      "%s failed, and ECS did not roll it back; the service is on %s.",
      outcome.subject(state), outcome.standing(state.service)
    )
  end
  local primary = state.service and services.primary(state.service)
  if primary and primary.id ~= state.wanted.id then
    return outcome.of(
      state, "superseded",
      "Another deployment of %s, %s (%s), took the place of %s before it was complete.",
      state.name, primary.id, services.revision(primary.task_definition), state.wanted.id or state.arn
    )
  end
  if may_be_stale(state) then -- what took its place may not be listed yet
    return nil
  end
  return outcome.of(
    state, "stopped",
    "%s was stopped; the service is on %s.", outcome.subject(state), outcome.standing(state.service)
  )
end

-- ---- on the way ----------------------------------------------------------------------------------

local function warn_once(state, what, format, ...)
  state.warned = state.warned or {}
  if not state.warned[what] then
    state.warned[what] = true
    log.warn(format:format(...))
  end
end

local moving = {}

function moving.STOP_REQUESTED(state)
  state.asked = true
  warn_once(state, "stop", "somebody has asked ECS to stop deployment %s", state.wanted.id or state.arn)
end

function moving.ROLLBACK_REQUESTED(state)
  state.asked = true
  warn_once(state, "asked", "somebody has asked ECS to roll deployment %s back", state.wanted.id or state.arn)
end

function moving.ROLLBACK_IN_PROGRESS(state)
  state.rolling_back = true
  warn_once(state, "back", "ECS is rolling %s back%s", state.name, outcome.because(state.why))
end

--- The hook at which a service deployment waits for somebody, or nil.
function by_deployment.open_hook(record)
  for _, hook in ipairs(record.lifecycle_hook_details or {}) do
    if hook.status == "AWAITING_ACTION" then
      return hook
    end
  end
  return nil
end

local function paused(state, hook)
  local ended = outcome.of(
    state, "paused",
    "%s waits at a hook in %s for somebody's decision; without one ECS will %s%s.",
    outcome.subject(state), state.record.lifecycle_stage or "its stage",
    hook.timeout_action == "CONTINUE" and "continue it" or "roll it back",
    hook.expires_at and (" in %s"):format(dates.span(math.max(0, hook.expires_at - now()))) or ""
  )
  ended.hook = hook
  return ended
end

-- Goals that are reached before the deployment is over.
local reached = {}

function reached.started(record)
  return running(record) > 0
end

function reached.traffic_shifted(record)
  local place = stages[record.lifecycle_stage or ""]
  return place ~= nil and place >= stages.POST_PRODUCTION_TRAFFIC_SHIFT
end

local function goal_reached(state)
  local test = reached[state.goal]
  if not test or not test(state.record) then
    return nil
  end
  return outcome.of(
    state, "completed", "%s has reached %s: %d tasks of it run.", outcome.subject(state), state.goal, running(state.record)
  )
end

--- See the head of the file.
function by_deployment.judge(state)
  local record = state.record
  local _, reason = by_deployment.trigger(record)
  state.why = reason or state.why
  if ends[record.status] then
    return ends[record.status](state)
  end
  if moving[record.status] then
    moving[record.status](state)
    return nil
  end
  local hook = by_deployment.open_hook(record)
  return goal_reached(state) or (hook and paused(state, hook)) or nil
end

--- Where it stands, for people: "3 of 4 running, 1 pending, SCALE_UP".
function by_deployment.line(record)
  local target = record.target_service_revision or {}
  local text = ("%d of %d running"):format(target.running_task_count or 0, target.requested_task_count or 0)
  if (target.pending_task_count or 0) > 0 then
    text = text .. (", %d pending"):format(target.pending_task_count)
  end
  local breaker = record.deployment_circuit_breaker or {}
  if (breaker.failure_count or 0) > 0 then
    text = text .. (", %d failed (%d are too many)"):format(breaker.failure_count, breaker.threshold or 0)
  end
  if record.lifecycle_stage then
    text = text .. ", " .. record.lifecycle_stage
  end
  if by_deployment.has_stages(record) and target.requested_production_traffic_weight then
    text = text .. (", %g %% of the traffic"):format(target.requested_production_traffic_weight)
  end
  local words = { PENDING = "", IN_PROGRESS = "", ROLLBACK_IN_PROGRESS = "rolling back: " }
  return (words[record.status] or record.status:lower():gsub("_", " ") .. ": ") .. text
end

--- What shows that something has moved.
function by_deployment.signature(record)
  return record.status .. " " .. by_deployment.line(record)
end

return by_deployment
