--- Following one ECS deployment to its end.
--
--     local answer = ecs.update_service { cluster = c, service = s, force_new_deployment = true }
--     local outcome = deployment.follow {
--       cluster = c, service = s, timeout = 900,
--       deployment = deployment.started(answer.service, plan.primary),
--     }
--     return deployment.verdict(outcome)
--
-- "The service is stable" proves nothing: after a circuit breaker has rolled back, the service is
-- stable again, on the old version. So this follows the deployment that UpdateService returned, by
-- its id, and says `completed` only when that very deployment is the primary one, ECS calls its
-- rollout COMPLETED, all its tasks run and no other deployment has any left.
--
-- Uses: ecs.describe_services.

local services = require "moonbook.services"

local deployment = {}

local FASTEST, SLOWEST = 2, 15 -- seconds between two looks
local LAG = 60 -- seconds for which a read may show the state before the write
local HEARTBEAT = 30 -- seconds after which a line is repeated when nothing changes

--- The deployment that a write started, from the service that the write returned. `before` is the id
-- of the one that was primary when it was planned. nil when the write started none (a change of the
-- desired count alone does not): following what was there before would find it complete at once.
function deployment.started(service, before)
  local primary = service and services.primary(service)
  if not primary or primary.id == before then
    return nil
  end
  local earlier = {}
  for _, other in ipairs(service.deployments) do
    if other.id ~= primary.id then
      earlier[other.id] = true
    end
  end
  return {
    id = primary.id,
    task_definition = primary.task_definition,
    created_at = primary.created_at,
    earlier = earlier, -- what it replaces
  }
end

-- ---- what one look shows ------------------------------------------------------------------------

-- Whether a deployment was made after the one that `started` describes. One that was there before
-- is not, whatever time it bears: ECS restores old deployments under their own id.
local function is_newer(other, started)
  if started.earlier and started.earlier[other.id] then
    return false
  end
  return other.created_at and started.created_at and other.created_at > started.created_at
end

local function has_tasks(other)
  return (other.running_count or 0) + (other.pending_count or 0) > 0
end

local function others_have_tasks(service, id)
  for _, other in ipairs(service.deployments or {}) do
    if other.id ~= id and has_tasks(other) then
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

local function is_complete(service, ours)
  return ours.status == "PRIMARY"
    and ours.rollout_state == "COMPLETED"
    and all_running(service, ours)
    and not others_have_tasks(service, ours.id)
end

local function reason_of(found)
  local reason = found and found.rollout_state_reason
  return reason and (": " .. reason:gsub("%.$", "")) or ""
end

-- Judges one look while ours is listed. Gives what it amounts to, and the deployment it is about:
-- "completed", "superseded" and "replaced" end it; "moving", "rolling back" and "stopped" may not.
local function judge_listed(state, service, ours, primary)
  local other = primary and primary.id ~= ours.id and primary or nil
  if other and is_newer(other, state.wanted) and not says_rolling_back(other) then
    return ours.rollout_state == "FAILED" and "replaced" or "superseded", other
  end
  if other then
    return "rolling back", other
  end
  if ours.rollout_state == "FAILED" then
    return "stopped", ours
  end
  if is_complete(service, ours) then
    return "completed", ours
  end
  return "moving", ours
end

-- Judges one look at which ours is not listed: it may be too early, or over.
local function judge_missing(state, primary)
  if primary and (says_rolling_back(primary) or state.rolling_back) then
    return "rolling back", primary
  end
  if primary and is_newer(primary, state.wanted) then
    return "superseded", primary
  end
  return "missing", primary
end

-- ---- ends ---------------------------------------------------------------------------------------

local function ended(state, outcome, format, ...)
  return {
    outcome = outcome,
    message = format:format(...),
    id = state.wanted.id,
    cluster = state.cluster,
    name = state.name,
    deployment = state.ours,
    service = state.service,
  }
end

local function end_rolled_back(state, other)
  return ended(
    state,
    "rolled_back",
    "ECS rolled %s back: %s did not come up%s; %s (%s) runs again.",
    state.name,
    services.revision(state.wanted.task_definition),
    state.why,
    services.revision(other.task_definition),
    other.id
  )
end

-- The old deployment that ECS restores takes its own id again, so its end is COMPLETED with nothing
-- of ours left running.
local function rollback_is_over(service, other)
  return other.rollout_state == "COMPLETED"
    and all_running(service, other)
    and not others_have_tasks(service, other.id)
end

-- Whether `kind` has been seen for `seconds` on end. What may be a stale read must last.
local function lasts(state, kind, seconds)
  if state.lasting ~= kind then
    state.lasting, state.lasting_since = kind, now()
  end
  return now() - state.lasting_since >= seconds
end

local function end_for_missing(state, primary)
  if not lasts(state, "missing", LAG) then
    return nil
  end
  if state.ours and primary then
    return end_rolled_back(state, primary)
  end
  return ended(
    state,
    "failed",
    "ECS accepted deployment %s of %s but has not listed it for %d seconds.",
    state.wanted.id,
    state.name,
    LAG
  )
end

local enders = {}

function enders.completed(state, ours)
  return ended(
    state,
    "completed",
    "%s runs %s: deployment %s is complete, %d of %d tasks running.",
    state.name,
    services.revision(ours.task_definition),
    ours.id,
    ours.running_count,
    ours.desired_count
  )
end

function enders.superseded(state, other)
  return ended(
    state,
    "superseded",
    "Another deployment of %s, %s (%s), took the place of %s before it was complete.",
    state.name,
    other.id,
    services.revision(other.task_definition),
    state.wanted.id
  )
end

function enders.replaced(state, other)
  return ended(
    state,
    "failed",
    "Deployment %s of %s failed%s; a newer one, %s, has taken its place.",
    state.wanted.id,
    state.name,
    reason_of(state.ours),
    other.id
  )
end

-- ECS marks a deployment FAILED before it puts the old one back, and without a rollback it leaves it
-- there: wait as long as a read may lag before calling it the end.
function enders.stopped(state, ours)
  state.why = reason_of(ours)
  if not lasts(state, "stopped", LAG) then
    return nil
  end
  return ended(
    state,
    "failed",
    "Deployment %s of %s failed%s, and ECS did not roll it back.",
    ours.id,
    state.name,
    state.why
  )
end

enders["rolling back"] = function(state, other)
  if state.why == "" then
    state.why = reason_of(state.ours and state.ours.rollout_state == "FAILED" and state.ours or other)
  end
  if not state.rolling_back then
    state.rolling_back = true
    log.warn(("ECS is rolling %s back to %s%s"):format(
      state.name,
      services.revision(other.task_definition),
      state.why
    ))
  end
  if rollback_is_over(state.service, other) then
    return end_rolled_back(state, other)
  end
  -- What ECS restores may be as broken as what it replaces: the same image, a secret, a target group.
  if other.rollout_state == "FAILED" and lasts(state, "rolling back", LAG) then
    return ended(
      state,
      "failed",
      "Deployment %s of %s failed%s, and so did ECS's rollback to %s: %s.",
      state.wanted.id,
      state.name,
      state.why,
      services.revision(other.task_definition),
      services.counts(other)
    )
  end
  return nil
end

function enders.missing(state, primary)
  return end_for_missing(state, primary)
end

function enders.moving()
  return nil
end

-- ---- looking ------------------------------------------------------------------------------------

-- Reads the service. A failure that may pass (throttled, no network) is not the deployment's end.
local function look(state)
  local service, why = nil, nil
  local ok, err = attempt(function()
    service, why = services.find(state.cluster, state.name)
    return true
  end)
  if not ok then
    if not err.retryable then
      error(err, 0)
    end
    state.unread = tostring(err)
    return nil
  end
  state.unread = nil
  if not service or service.status ~= "ACTIVE" then
    state.gone = why or ("Service %s is %s now."):format(state.name, service.status)
    return nil
  end
  state.gone = nil
  return service
end

local function newest_event(service)
  local event = service.events and service.events[1]
  return event and event.message
end

local function line_for(state, kind, found)
  if state.unread then
    return "cannot read the service just now: " .. state.unread
  end
  if state.gone then
    return state.gone
  end
  local text = {
    ["rolling back"] = "rolling back: ",
    stopped = "failed, waiting for what ECS does next: ",
    missing = "not listed yet: ",
  }
  local line = (text[kind] or "") .. services.counts(found or state.service)
  local event = newest_event(state.service)
  if event and event ~= state.first_event then
    line = line .. "; " .. event
  end
  return line
end

-- Tells where it stands when that has changed, and now and then when it has not. Gives whether it
-- has changed.
local function tell(state, kind, found)
  local line = line_for(state, kind, found)
  local changed = line ~= state.line
  if changed or now() - state.told_at >= HEARTBEAT then
    local fields = found and { done = found.running_count, total = found.desired_count } or nil
    progress(line, fields)
    state.line, state.told_at = line, now()
  end
  return changed
end

-- Looks once. Gives the outcome when it is over, and whether anything has changed.
local function turn(state)
  local service = look(state)
  if state.gone and not state.unread and lasts(state, "gone", LAG) then
    return ended(state, "deleted", "%s", state.gone), true
  end
  if not service then
    return nil, tell(state)
  end
  state.service = service
  if state.first_event == nil then
    state.first_event = newest_event(service) or false
  end
  local primary = services.primary(service)
  local ours = services.deployment(service, state.wanted.id)
  local kind, found
  if ours then
    state.ours = ours
    kind, found = judge_listed(state, service, ours, primary)
  else
    kind, found = judge_missing(state, primary)
  end
  if kind ~= state.lasting then
    state.lasting = nil
  end
  local changed = tell(state, kind, found)
  return enders[kind](state, found), changed
end

local function timed_out(state)
  local standing = state.line or "nothing was seen of it"
  -- It has failed, whatever becomes of the rollback.
  if state.rolling_back then
    return ended(
      state,
      "failed",
      "Deployment %s of %s failed%s; ECS was still rolling it back after %d seconds (%s).",
      state.wanted.id,
      state.name,
      state.why,
      math.floor(state.timeout),
      standing
    )
  end
  return ended(
    state,
    "timed_out",
    "Deployment %s of %s was still under way after %d seconds (%s).",
    state.wanted.id,
    state.name,
    math.floor(state.timeout),
    standing
  )
end

--- Follows a deployment until it has ended or `timeout` seconds have passed.
--
-- Takes { cluster, service, deployment = what deployment.started gave, timeout = seconds }.
-- Gives { outcome, message, id, cluster, name, deployment, service }, where outcome is one of
--   completed    it is the primary deployment, COMPLETED, and all its tasks run
--   failed       ECS gave it up and left it there
--   rolled_back  ECS gave it up and runs an older deployment again
--   superseded   a newer deployment took its place
--   deleted      the service is gone
--   timed_out    it was still under way
function deployment.follow(options)
  local state = {
    cluster = options.cluster,
    name = options.service,
    wanted = options.deployment,
    timeout = options.timeout or 900,
    why = "",
    told_at = 0,
  }
  local deadline = now() + state.timeout
  local interval = FASTEST
  while true do
    local outcome, changed = turn(state)
    if outcome then
      return outcome
    end
    local left = deadline - now()
    if left <= 0 then
      return timed_out(state)
    end
    interval = changed and FASTEST or math.min(interval * 1.5, SLOWEST)
    -- A little jitter keeps many runs from asking in step.
    sleep(math.min(left, interval * (1 + 0.1 * math.random())))
  end
end

--- The service as soon as a read shows the deployment that deployment.started gave complete, or as it
-- is when that has not come about for a minute or a newer one has taken its place. For verify(): a
-- read may be older than the one before it. Gives nil and a sentence when the service is not ACTIVE.
function deployment.settled(cluster, name, started)
  local state = { cluster = cluster, name = name }
  local deadline = now() + LAG
  while now() < deadline do
    local service = look(state)
    local ours = service and services.deployment(service, started.id)
    local primary = service and services.primary(service)
    if ours and is_complete(service, ours) then
      return service
    elseif primary and primary.id ~= started.id and is_newer(primary, started) then
      return service
    end
    sleep(FASTEST)
  end
  return services.active(cluster, name)
end

--- An outcome as apply() or verify() returns it: with the verdict that belongs to it, and what to run
-- next when it did not end well.
function deployment.verdict(outcome)
  local verdicts = {
    completed = "done",
    failed = "failed",
    rolled_back = "rolled_back",
    superseded = "superseded",
    deleted = "failed",
    timed_out = "timed_out",
  }
  local result = { verdict = verdicts[outcome.outcome], message = outcome.message }
  if outcome.outcome ~= "completed" then
    result.next = services.validate_command(outcome.cluster, outcome.name)
  end
  return result
end

return deployment
