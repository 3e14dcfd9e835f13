--- Following deployments of ECS services to their end: the body of ecs.follow_deployment.
--
--     local answer = ecs.update_service { cluster = c, service = s, force_new_deployment = true }
--     local outcome = ecs.follow_deployment {
--       cluster = c, service = s, wait = 900,
--       deployment = deployment.started(answer.service, before),
--     }
--     return verdict.of(outcome)
--
-- What is followed is bound to the deployment that the write started, first by the id that UpdateService
-- returned and then by the service deployment behind it. ECS's own record of that service deployment
-- decides how it ended (follow/by_deployment.lua). Where service deployments cannot be read, the list of
-- deployments of the service does (follow/by_service.lua). Nothing ever waits for "the service is stable".

local by_deployment = require "moonbook.follow.by_deployment"
local by_service = require "moonbook.follow.by_service"
local health = require "moonbook.health"
local history = require "moonbook.history"
local hopeless = require "moonbook.follow.hopeless"
local outcome = require "moonbook.follow.outcome"
local services = require "moonbook.services"

local deployment = {}

local FASTEST, SLOWEST = 3, 18 -- seconds between two looks, when it goes wrong and when nothing changes
local GROWTH = 2 -- of that time, while nothing changes; what moves as it should halves it
local LAG = 60 -- seconds for which a read may show the state before the write
local HEARTBEAT = 30 -- seconds after which a line is repeated when nothing changes
local STALE = 60 -- seconds after which the service is read again when nothing changes

deployment.goals = { started = true, traffic_shifted = true, deployed = true, stable = true, drained = true }

--- The deployment that a write started, from the service that the write returned. `before` is the id of the
-- one that was primary when it was planned. nil when the write started none (a change of the desired count
-- alone does not): following what was there before would find it complete at once. `known`: the ARNs of the
-- service deployments there were before the write, none of which it can be.
function deployment.started(service, before, known)
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
    known = known or {},
  }
end

-- ---- reading -------------------------------------------------------------------------------------

-- Does `read`; a failure that may pass (throttled, no network) is no end, and is told of.
local function patiently(states, read)
  local ok, err = attempt(function()
    read()
    return true
  end)
  if not ok and not err.retryable then
    error(err, 0)
  end
  for _, state in ipairs(states) do
    state.unread = err and tostring(err) or nil
  end
  return ok
end

-- The service deployment that the service itself names, when it can only be the one that is followed: what
-- it names may be stale, and is then one that was there before.
local function named_by_service(state)
  local arn = state.seen and state.seen.current_service_deployment
  local known = state.wanted.known or {}
  if not arn or state.mistaken or known[arn] or next(known) == nil then
    return nil
  end
  local primary = services.primary(state.seen)
  return primary and primary.id == state.wanted.id and arn or nil
end

-- The service's own list of deployments has to do.
local function do_without(state, why)
  state.by, state.record = by_service, nil
  log.info(("following %s by the service's list of deployments: %s"):format(state.name, why))
end

-- Finds the service deployment behind what a state follows; without one in a minute, or without the right
-- to look, the service's own list has to do.
local function bind(state)
  local arn, why = named_by_service(state), nil
  if not arn then
    arn, why = history.find(state.cluster, state.name, state.wanted)
  end
  state.arn = arn
  if arn then
    return
  end
  if why or now() - state.began >= LAG then
    do_without(state, why or "no service deployment was found for it")
  end
end

local function take_record(state, record)
  local signature = by_deployment.signature(record)
  state.moved = state.moved or signature ~= state.signature
  state.record, state.signature = record, signature
end

-- The newest record of every state that has one, 20 a call.
local function read_records(states)
  local arns, bound = {}, {}
  for _, state in ipairs(states) do
    if state.by == by_deployment and state.arn then
      bound[#bound + 1] = state
      arns[#arns + 1] = state.arn
    end
  end
  local list, err = attempt(history.describe, arns)
  if not list and not history.unreadable(err) then
    error(err, 0)
  end
  local records = {}
  for _, record in ipairs(list or {}) do
    records[record.service_deployment_arn] = record
  end
  for _, state in ipairs(bound) do
    if not list then
      do_without(state, err.message)
    elseif records[state.arn] then
      take_record(state, records[state.arn])
    end
  end
end

-- Whether the record must be another deployment's: made at another time; or over, and not well, while the
-- service says that ours goes on. Then the history is searched, once.
local function is_mistaken(state)
  if state.mistaken or state.wanted.arn or not state.record then
    return false
  end
  local primary = state.service and services.primary(state.service)
  local goes_on = primary and primary.id == state.wanted.id and primary.rollout_state == "IN_PROGRESS"
  return not history.is_near(state.record, state.wanted) or goes_on and state.record.status == "STOPPED"
end

local function needs_service(state)
  local age = now() - state.service_read
  return age > 1 and (state.by == by_service or state.moved or state.look_again or age >= STALE)
end

-- The services that are due, 10 of one cluster a call.
local function read_services(states, is_due)
  local due = {}
  for _, state in ipairs(states) do
    if is_due(state) then
      local list = due[state.cluster] or {}
      list[#list + 1] = state
      due[state.cluster] = list
    end
  end
  for cluster, list in pairs(due) do
    local names = {}
    for index, state in ipairs(list) do
      names[index] = state.name
    end
    local found = services.find_all(cluster, names)
    for _, state in ipairs(list) do
      state.seen, state.service_read, state.look_again = found[state.name], now(), nil
    end
  end
end

-- Takes a service over from the last read. A service that is not ACTIVE for a while is gone.
local function take_service(state)
  local service = state.seen
  if service and service.status == "ACTIVE" then
    state.service, state.gone_since = service, nil
    state.ours = services.deployment(service, state.wanted.id) or state.ours
    return nil
  end
  if state.service_read then
    state.gone_since = state.gone_since or now()
  end
  if not state.gone_since or now() - state.gone_since < LAG then
    return nil
  end
  return outcome.of(
    state, "deleted",
    "Service %s %s: somebody deleted it while deployment %s was under way.",
    state.name, service and "is " .. service.status or "is gone", state.wanted.id
  )
end

-- ---- telling -------------------------------------------------------------------------------------

local function newest_event(service)
  local event = service and service.events and service.events[1]
  return event and event.message or ""
end

local function line_of(state)
  if state.unread then
    return "cannot be read just now: " .. state.unread
  elseif state.gone_since then
    return ("service %s is not there"):format(state.name)
  elseif not state.record and state.by == by_deployment then
    return "not listed yet"
  end
  return state.by == by_deployment and by_deployment.line(state.record) or by_service.line(state)
end

-- "; has started 2 tasks: ..." when the newest event of the service has not been told yet.
local function fresh_event(state)
  local event = newest_event(state.service)
  if event == "" or event == state.told_event then
    return ""
  end
  state.told_event = event
  return "; " .. outcome.event(event)
end

local function counts_of(state)
  local target = state.record and state.record.target_service_revision
  if target then
    return { done = target.running_task_count, total = target.requested_task_count }
  end
  return state.found and { done = state.found.running_count, total = state.found.desired_count } or nil
end

-- Tells where it stands when that has changed, and now and then when it has not. Gives whether it has.
local function tell(state)
  local line, event = line_of(state), fresh_event(state)
  local changed = line ~= state.line or event ~= ""
  if changed or now() - state.told_at >= HEARTBEAT then
    progress((state.label or "") .. line .. event, counts_of(state))
    state.line, state.told_at = line, now()
  end
  return changed
end

-- ---- after the deployment ------------------------------------------------------------------------

local function draining_targets(service)
  local count = 0
  for _, group in ipairs(health.target_groups(service)) do
    count = count + health.targets(group).draining
  end
  return count
end

-- Whether a deployment that is over has also reached what was asked for beyond that.
local function beyond(state)
  if state.goal ~= "stable" and state.goal ~= "drained" then
    return true
  end
  local ours = state.service and services.deployment(state.service, state.wanted.id)
  if not ours or not by_service.is_complete(state.service, ours) then
    return false
  elseif state.goal == "stable" then
    return true
  end
  local draining, err = attempt(draining_targets, state.service)
  if err and not err.retryable then
    error(err, 0)
  end
  return draining == 0
end

-- ---- the loop ------------------------------------------------------------------------------------

-- One look at one state, after the reads. Gives the outcome when it is over, and whether it has changed.
local function turn(state)
  local gone = take_service(state)
  if gone or state.unread or state.gone_since or not state.service then
    return gone, tell(state)
  end
  state.told_event = state.told_event or newest_event(state.service) -- from before it began
  if is_mistaken(state) then
    state.mistaken, state.arn, state.record = true, nil, nil
  end
  local ended
  if state.by == by_service or state.record then
    ended = state.by.judge(state)
  end
  if ended and ended.outcome == "completed" and not beyond(state) then
    state.look_again = true
    ended = nil
  end
  local changed = tell(state)
  if not ended then
    hopeless.look(state)
    ended = hopeless.judge(state)
  end
  return ended, changed
end

local function timed_out(state)
  local standing = state.line or "nothing was seen of it"
  -- It has failed, whatever becomes of the rollback.
  if state.rolling_back then
    return outcome.of(
      state, "failed",
      "%s failed; ECS was still rolling it back after %d seconds (%s).",
      outcome.subject(state), math.floor(state.wait), standing
    )
  end
  return outcome.of(
    state, "timed_out",
    "%s was still under way after %d seconds (%s)%s.",
    outcome.subject(state), math.floor(state.wait), standing,
    state.hopeless and ("; it cannot come right: %s"):format(state.hopeless.summary:gsub("%.$", "")) or ""
  )
end

local function read(states)
  patiently(states, function()
    read_services(states, function(state)
      return not state.service_read or state.by == by_deployment and not state.arn
    end)
    for _, state in ipairs(states) do
      if state.by == by_deployment and not state.arn then
        bind(state)
      end
    end
    read_records(states)
    read_services(states, needs_service)
  end)
end

-- Looks at what has not ended yet. Gives what has not, whether anything has changed, and whether that is
-- worth a close look: failures, a rollback.
local function look(states)
  local left, moved, trouble = {}, false, false
  read(states)
  for _, state in ipairs(states) do
    local ended, changed = turn(state)
    state.moved = false
    state.outcome = ended
    moved = moved or changed
    trouble = trouble or changed and (state.rolling_back or hopeless.failures(state) > 0)
    if not ended then
      left[#left + 1] = state
    end
  end
  return left, moved, trouble
end

-- A rollout takes its time between one move and the next: looking often in between only costs calls.
local function next_interval(interval, moved, trouble)
  if trouble then
    return FASTEST
  elseif moved then
    return math.max(FASTEST, interval / 2)
  end
  return math.min(interval * GROWTH, SLOWEST)
end

-- Ends those whose time is up. Gives the others, and how many seconds are left to the first of them.
local function expire(states)
  local left, seconds = {}, math.huge
  for _, state in ipairs(states) do
    local remaining = state.deadline - now()
    if remaining <= 0 then
      state.outcome = timed_out(state)
    else
      left[#left + 1] = state
      seconds = math.min(seconds, remaining)
    end
  end
  return left, seconds
end

local function follow(states)
  local interval = FASTEST
  sleep(FASTEST) -- nothing has happened yet, and a read may not show it yet
  local left, moved, trouble, remaining = states, false, false, 0
  while true do
    left, moved, trouble = look(left)
    left, remaining = expire(left)
    if #left == 0 then
      return
    end
    interval = next_interval(interval, moved, trouble)
    -- A little jitter keeps many runs from asking in step.
    sleep(math.min(remaining, interval * (1 + 0.1 * math.random())))
  end
end

-- What there is to follow when nobody says: the primary deployment as it is now.
local function newest(options)
  local service, why = services.active(options.cluster, options.service)
  if not service then
    error { code = "NothingToFollow", message = why }
  end
  local primary = services.primary(service)
  if not primary then
    error { code = "NothingToFollow", message = ("Service %s lists no primary deployment."):format(options.service) }
  end
  return { id = primary.id, task_definition = primary.task_definition, created_at = primary.created_at, known = {} }
end

local function state_for(options, wanted, several)
  local goal = options.goal or "deployed"
  if not deployment.goals[goal] then
    error { code = "BadGoal", message = ("there is no goal %s; goals are deployed, drained, stable, started and traffic_shifted"):format(goal) }
  end
  wanted = wanted or newest(options)
  return {
    cluster = options.cluster,
    name = options.service,
    wanted = wanted,
    arn = wanted.arn,
    by = by_deployment,
    goal = goal,
    abort_early = options.abort_early,
    wait = options.wait or 900,
    deadline = now() + (options.wait or 900),
    began = now(),
    told_at = 0,
    label = several and (options.service .. ": ") or nil,
  }
end

--- Follows a deployment until it has ended or `wait` seconds have passed.
--
-- Takes { cluster, service, deployment = what deployment.started gave (nil: the primary one as it is now),
-- wait = seconds (900), goal, abort_early }. Goals: "started" (a task of it runs), "traffic_shifted" (all
-- traffic goes to it; of a rolling deployment the same as deployed), "deployed" (ECS calls it SUCCESSFUL),
-- "stable" (and no other deployment has tasks), "drained" (and no target drains). `abort_early`: a cause
-- that cannot come right ends it at once. Gives an outcome (follow/outcome.lua).
function deployment.follow(options)
  local state = state_for(options, options.deployment)
  follow { state }
  return state.outcome
end

--- Follows several deployments at the same time, 20 service deployments and 10 services a call: the body of
-- ecs.follow_deployments. Takes { deployments = a list of what deployment.follow takes }; gives { outcomes }
-- in the same order.
function deployment.follow_several(options)
  local states, outcomes = {}, {}
  for index, one in ipairs(options.deployments) do
    if type(one) ~= "table" or type(one.cluster) ~= "string" or type(one.service) ~= "string" then
      error { code = "BadArgument", message = ("deployments[%d] needs a cluster and a service"):format(index) }
    end
    states[index] = state_for(one, one.deployment, true)
  end
  if #states > 0 then
    follow(table.move(states, 1, #states, 1, {}))
  end
  for index, state in ipairs(states) do
    outcomes[index] = state.outcome
  end
  return { outcomes = outcomes }
end

-- ---- afterwards ----------------------------------------------------------------------------------

-- Whether a service shows what was waited for. Of a deployment whose traffic alone was waited for, its own tasks
-- must run: those it replaces may stay for as long as the bake time.
local function has_settled(service, ours, goal)
  if goal == "traffic_shifted" and ours.rollout_state == "IN_PROGRESS" then
    return ours.status == "PRIMARY" and ours.running_count == service.desired_count
  end
  return by_service.is_complete(service, ours)
end

--- The service as soon as a read shows the deployment that deployment.started gave as its primary one with
-- all tasks running, or as it is when that has not come about for a minute or a newer one has taken its
-- place. For verify(): a read may be older than the one before it. `goal`: what was waited for, "deployed" when
-- absent. nil and a sentence when the service is not ACTIVE.
function deployment.settled(cluster, name, started, goal)
  local deadline = now() + LAG
  while now() < deadline do
    local service = services.active(cluster, name)
    local ours = service and services.deployment(service, started.id)
    local primary = service and services.primary(service)
    if ours and has_settled(service, ours, goal) then
      return service
    elseif primary and primary.id ~= started.id and by_service.is_newer(primary, started) then
      return service
    end
    sleep(FASTEST)
  end
  return services.active(cluster, name)
end

--- The verdict that belongs to an outcome.
function deployment.verdict_of(ended)
  return outcome.verdicts[ended.outcome]
end

return deployment
