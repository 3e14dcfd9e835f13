--- Causes that cannot come right, noticed while a deployment is followed, long before ECS gives it up; and what else fails.
--
-- A state (moonbook.deployment) has record, service and ours as just read. look(state) sets state.hopeless when it finds
-- such a cause, and tells it; judge(state) says whether that is the end.

local explain = require "moonbook.explain"
local outcome = require "moonbook.follow.outcome"

local hopeless = {}

--- Failures so far, as far as anything shows them.
function hopeless.failures(state)
  local breaker = state.record and state.record.deployment_circuit_breaker or {}
  return math.max(breaker.failure_count or 0, state.ours and state.ours.failed_tasks or 0)
end

-- How many tasks of it vanished without having been told to, so far: seen before ECS counts them as failures, which it
-- does only when they are gone altogether.
local function vanished(state)
  local target = state.record and state.record.target_service_revision or {}
  local wanted = target.requested_task_count or state.ours and state.ours.desired_count or 0
  local present = target.running_task_count and target.running_task_count + (target.pending_task_count or 0)
    or state.ours and (state.ours.running_count or 0) + (state.ours.pending_count or 0) or 0
  local before = state.present or { count = 0, wanted = 0 }
  if wanted >= before.wanted and present < before.count then
    state.vanished = (state.vanished or 0) + before.count - present
  end
  state.present = { count = present, wanted = wanted }
  return state.vanished or 0
end

local function has_breaker(state)
  local configuration = state.service and state.service.deployment_configuration or {}
  local breaker = configuration.deployment_circuit_breaker
  return breaker ~= nil and breaker.enable == true
end

local function tell_hopeless(state, cause)
  state.hopeless = cause
  local reason = outcome.because(cause.reason)
  log.error(("deployment %s cannot come right: %s%s"):format(state.wanted.id, cause.summary:gsub("%.$", ""), reason))
end

-- What may yet come right is told as well, once for each cause.
local function tell_failing(state, cause)
  state.failing = state.failing or {}
  if not state.failing[cause.code] then
    state.failing[cause.code] = true
    log.warn(("tasks of deployment %s fail: %s%s"):format(
      state.wanted.id, cause.summary:gsub("%.$", ""), outcome.because(cause.reason)
    ))
  end
end

--- When tasks begin to fail, looks at once why: an image that is not there will not be there in ten minutes. Looks again
-- when there is more to see than the last look saw.
function hopeless.look(state)
  if not state.wanted.id or state.hopeless or state.rolling_back then
    return
  end
  local blocked = explain.blocked(state.service, state.wanted.created_at)
  if blocked then
    tell_hopeless(state, blocked)
    return
  end
  local counted, gone = hopeless.failures(state), vanished(state)
  local signs = counted + gone
  if signs == (state.signs or 0) or math.max(counted, gone) <= (state.stopped_seen or 0) then
    return
  end
  state.signs = signs
  local cause, _, seen = explain.hopeless {
    cluster = state.cluster, service = state.name, deployment = state.wanted,
  }
  state.stopped_seen = seen and seen.stopped or state.stopped_seen
  if cause then
    tell_hopeless(state, cause)
  elseif seen and seen.cause then
    tell_failing(state, seen.cause)
  end
end

-- Whether ECS itself would go on for ever: what starts no task gives the circuit breaker nothing to count.
local function never_ends(state)
  return not has_breaker(state) or state.hopeless.code == "bounds_block"
end

--- With abort_early, or when ECS itself would go on for ever, a hopeless cause is the end: gives the outcome, or
-- nil.
function hopeless.judge(state)
  if not state.hopeless or state.rolling_back or not (state.abort_early or never_ends(state)) then
    return nil
  end
  return outcome.of(
    state, "hopeless",
    "%s cannot come right: %s; ECS is still trying.",
    outcome.subject(state), state.hopeless.summary:gsub("%.$", "")
  )
end

return hopeless
