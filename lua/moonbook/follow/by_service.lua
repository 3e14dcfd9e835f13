--- What one look at a service amounts to, for services and accounts without service deployments.
--
-- "The service is stable" proves nothing: after a circuit breaker has rolled back, the service is stable
-- again, on the old version. So this looks for the deployment by its id, and says `completed` only when
-- that very deployment is the primary one, ECS calls its rollout COMPLETED, all its tasks run and no other
-- deployment has any left.
--
-- judge(state) gives an outcome when it is over, else nil, and sets state.kind and state.found, what is
-- shown of it; state.service is the service as just read.

local outcome = require "moonbook.follow.outcome"
local services = require "moonbook.services"

local by_service = {}

local LAG = 60 -- seconds for which a read may show the state before the write

-- ---- what one look shows -------------------------------------------------------------------------

--- Whether a deployment was made after the one that `started` describes. One that was there before is not,
-- whatever time it bears: ECS restores old deployments under their own id.
function by_service.is_newer(other, started)
  if started.earlier and started.earlier[other.id] then
    return false
  end
  return other.created_at and started.created_at and other.created_at > started.created_at
end

local function others_have_tasks(service, id)
  for _, other in ipairs(service.deployments or {}) do
    if other.id ~= id and (other.running_count or 0) + (other.pending_count or 0) > 0 then
      return true
    end
  end
  return false
end

local function says_rolling_back(found)
  local reason = found and found.rollout_state_reason
  return reason ~= nil and reason:find("rolling back", 1, true) ~= nil
end

local function all_running(service, ours)
  local wanted = service.desired_count
  return wanted ~= nil and ours.desired_count == wanted and ours.running_count == wanted
end

--- Whether a deployment is the only one with tasks, all of which run, and ECS calls it COMPLETED.
function by_service.is_complete(service, ours)
  return ours.status == "PRIMARY"
    and ours.rollout_state == "COMPLETED"
    and all_running(service, ours)
    and not others_have_tasks(service, ours.id)
end

local function reason_of(found)
  return found and found.rollout_state_reason
end

-- Judges one look while ours is listed. Gives what it amounts to, and the deployment it is about:
-- "completed", "superseded" and "replaced" end it; "moving", "rolling back" and "stopped" may not.
local function judge_listed(state, ours, primary)
  local other = primary and primary.id ~= ours.id and primary or nil
  if other and by_service.is_newer(other, state.wanted) and not says_rolling_back(other) then
    return ours.rollout_state == "FAILED" and "replaced" or "superseded", other
  end
  if other then
    return "rolling back", other
  end
  if ours.rollout_state == "FAILED" then
    return "stopped", ours
  end
  if by_service.is_complete(state.service, ours) then
    return "completed", ours
  end
  return "moving", ours
end

-- Judges one look at which ours is not listed: it may be too early, or over.
local function judge_missing(state, primary)
  if primary and (says_rolling_back(primary) or state.rolling_back) then
    return "rolling back", primary
  end
  if primary and by_service.is_newer(primary, state.wanted) then
    return "superseded", primary
  end
  return "missing", primary
end

-- ---- ends ----------------------------------------------------------------------------------------

local function end_rolled_back(state)
  return outcome.of(
    state, "rolled_back",
    "ECS rolled %s back: %s did not come up, and the service runs %s again.",
    state.name,
    services.revision(state.wanted.task_definition),
    outcome.standing(state.service)
  )
end

-- The old deployment that ECS restores takes its own id again, so its end is COMPLETED with nothing of ours
-- left running.
local function rollback_is_over(service, other)
  return other.rollout_state == "COMPLETED" and all_running(service, other) and not others_have_tasks(service, other.id)
end

-- Whether `kind` has been seen for `seconds` on end. What may be a stale read must last.
local function lasts(state, kind, seconds)
  if state.lasting ~= kind then
    state.lasting, state.lasting_since = kind, now()
  end
  return now() - state.lasting_since >= seconds
end

local enders = {}

function enders.completed(state, ours)
  return outcome.of(
    state, "completed",
    "%s runs %s: deployment %s is complete, %d of %d tasks running.",
    state.name, services.revision(ours.task_definition), ours.id, ours.running_count, ours.desired_count
  )
end

function enders.superseded(state, other)
  return outcome.of(
    state, "superseded",
    "Another deployment of %s, %s (%s), took the place of %s before it was complete.",
    state.name, other.id, services.revision(other.task_definition), state.wanted.id
  )
end

function enders.replaced(state, other)
  state.why = reason_of(state.ours)
  return outcome.of(
    state, "failed", "%s failed; a newer one, %s, has taken its place.", outcome.subject(state), other.id
  )
end

-- ECS marks a deployment FAILED before it puts the old one back, and without a rollback it leaves it there:
-- wait as long as a read may lag before calling it the end.
function enders.stopped(state, ours)
  state.why = reason_of(ours)
  if not lasts(state, "stopped", LAG) then
    return nil
  end
  return outcome.of(
    state, "failed",
    "%s failed, and ECS did not roll it back; the service is on %s.",
    outcome.subject(state), outcome.standing(state.service)
  )
end

enders["rolling back"] = function(state, other)
  if not state.why then
    state.why = reason_of(state.ours and state.ours.rollout_state == "FAILED" and state.ours or other)
  end
  if not state.rolling_back then
    state.rolling_back = true
    log.warn(("ECS is rolling %s back to %s%s"):format(
      state.name,
      services.revision(other.task_definition),
      outcome.because(state.why)
    ))
  end
  if rollback_is_over(state.service, other) then
    return end_rolled_back(state)
  end
  -- What ECS restores may be as broken as what it replaces: the same image, a secret, a target group.
  if other.rollout_state == "FAILED" and lasts(state, "rolling back", LAG) then
    return outcome.of(
      state, "failed",
      "%s failed, and so did ECS's rollback to %s: %s.",
      outcome.subject(state), services.revision(other.task_definition), services.counts(other)
    )
  end
  return nil
end

function enders.missing(state, primary)
  if not lasts(state, "missing", LAG) then
    return nil
  end
  if state.ours and primary then
    return end_rolled_back(state)
  end
  return outcome.of(
    state, "failed",
    "ECS accepted deployment %s of %s but has not listed it for %d seconds.",
    state.wanted.id, state.name, LAG
  )
end

function enders.moving()
  return nil
end

--- See the head of the file.
function by_service.judge(state)
  local primary = services.primary(state.service)
  local ours = services.deployment(state.service, state.wanted.id)
  if ours then
    state.ours = ours
    state.kind, state.found = judge_listed(state, ours, primary)
  else
    state.kind, state.found = judge_missing(state, primary)
  end
  if state.kind ~= state.lasting then
    state.lasting = nil
  end
  return enders[state.kind](state, state.found)
end

local words = {
  ["rolling back"] = "rolling back: ",
  stopped = "failed, waiting for what ECS does next: ",
  missing = "not listed yet: ",
}

--- Where it stands, for people.
function by_service.line(state)
  return (words[state.kind] or "") .. services.counts(state.found or state.service)
end

return by_service
