--- Waiting until a service is at zero, and until it is back. What a look gives is { done, line, changed,
-- now }: `line` says how it stands, `changed` is a sentence when somebody else has changed what is
-- waited for.
--
-- Uses: what lib.state and lib.tasks use, elbv2.describe_target_health.

local health = require "moonbook.health"
local scaling = require "lib.scaling"
local services = require "moonbook.services"
local state = require "lib.state"
local tasks = require "lib.tasks"

local waits = {}

local EVERY = 5

-- A read may show what was before the last write for a while. Only what lasts is somebody else's doing.
local LAG = 30

--- A look that is done when no task is left. `gone` as for tasks.left.
function waits.at_zero(args, now, gone)
  local left, total = tasks.left(args, gone)
  local counted = (now.service.running_count or 0) + (now.service.pending_count or 0)
  local line = total > 0 and ("waiting for %d to go: %s"):format(total, tasks.tell(left))
    or counted > 0 and services.counts(now.service)
    or "no task is left"
  return {
    done = now.desired == 0 and total == 0 and counted == 0,
    line = now.desired == 0 and line or ("desired count is still %d; %s"):format(now.desired, line),
    changed = now.desired ~= 0
      and ("Somebody else set the desired count of %s to %d."):format(now.service.service_name, now.desired),
  }
end

-- What keeps the targets from being healthy, or nil. Each group must have a healthy one for each task.
local function target_problem(service, wanted)
  for _, group in ipairs(health.target_groups(service)) do
    local seen = health.targets(group)
    if #seen.problems > 0 then
      return ("target %s"):format(seen.problems[1])
    elseif seen.healthy < wanted then
      return ("%d of %d targets of %s are healthy"):format(seen.healthy, wanted, seen.name)
    end
  end
  return nil
end

-- What keeps the service from running what it is to run, or nil.
local function problem(args, now)
  local service = now.service
  local counted = service.running_count == now.desired and (service.pending_count or 0) == 0
  if not counted or now.desired == 0 then
    local event = service.events and service.events[1]
    return services.counts(service) .. (event and "; " .. event.message or "")
  end
  for _, task in ipairs(health.tasks(args.cluster, args.service:match "[^/]+$")) do
    local why = health.task_problem(task)
    if why then
      return "task " .. why
    end
  end
  return target_problem(service, now.desired)
end

--- Whether the count is the one that is to be restored, or one that auto scaling has made of it since.
function waits.count_is_back(now, goal)
  return now.desired == goal.desired
    or now.desired > 0 and goal.scaling ~= nil and state.moved_by_auto_scaling(now, goal)
end

--- Whether auto scaling is as it was; true when there is nothing to put back.
function waits.limits_are_back(now, goal)
  return not goal.scaling or scaling.equal(now.scaling, goal.scaling)
end

--- A look that is done when all is back: `goal` is { desired, scaling }.
function waits.restored(args, now, goal)
  local count, limits = waits.count_is_back(now, goal), waits.limits_are_back(now, goal)
  local why = problem(args, now)
  local changed
  if not count then
    changed = ("Somebody else set the desired count of %s to %d, not %d."):format(
      now.service.service_name,
      now.desired,
      goal.desired
    )
  elseif not limits then
    changed = ("Somebody else changed auto scaling of %s: %s now, not %s."):format(
      now.service.service_name,
      scaling.tell(now.scaling),
      scaling.tell(goal.scaling)
    )
  end
  return {
    done = count and limits and not why,
    line = changed or why or services.counts(now.service) .. ", and healthy",
    changed = changed,
  }
end

-- One look. A failure that may pass is none; it is told instead.
local function try(args, look)
  local seen, err = attempt(function()
    local now, why = state.read(args)
    if not now then
      return { gone = why }
    end
    local seen = look(now)
    seen.now = now
    return seen
  end)
  if not seen and not err.retryable then
    error(err, 0)
  end
  return seen or { unread = true, line = "cannot look just now: " .. err.message }
end

--- Looks until it is done. `options`: what, timeout (seconds), look (a function of what state.read gives).
-- Gives how the wait ended and the last look: "done", "changed" (by somebody else), "gone" (the service,
-- or what can be read of it; `gone` says why) or "timeout".
function waits.poll(args, options)
  local seen, since = {}, nil
  local finished, err = attempt(wait_until, {
    what = options.what,
    every = EVERY,
    timeout = options.timeout,
    check = function()
      local latest = try(args, options.look)
      if latest.unread then -- what was seen before is neither confirmed nor refuted
        return false, latest.line
      end
      seen = latest
      since = seen.changed and (since or now()) or nil
      seen.lasts = since ~= nil and now() - since >= LAG
      return seen.done or seen.gone ~= nil or seen.lasts, seen.line
    end,
  })
  if not finished and err.code ~= "Timeout" then
    error(err, 0)
  end
  return not finished and "timeout" or seen.done and "done" or seen.gone and "gone" or "changed", seen
end

--- The last look of a short wait: what a read shows that is no older than the writes.
function waits.settled(args, look)
  local _, seen = waits.poll(args, { what = "a read that shows it", timeout = LAG, look = look })
  return seen
end

return waits
