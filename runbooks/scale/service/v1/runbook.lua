-- Sets the desired count. Auto scaling has the last word on a service that it looks after, so a
-- number outside its bounds is refused unless --override says that this is meant.

local services = require "moonbook.services"

local runbook = {}

-- What auto scaling may choose between, or nil when it does not look after the service.
local function bounds(args)
  local answer = application_autoscaling.describe_scalable_targets {
    service_namespace = "ecs",
    -- Both may be given as ARNs; auto scaling wants their names.
    resource_ids = {
      ("service/%s/%s"):format(args.cluster:match("[^/]+$"), args.service:match("[^/]+$")),
    },
    scalable_dimension = "ecs:service:DesiredCount",
  }
  local target = (answer.scalable_targets or {})[1]
  return target and { min = target.min_capacity, max = target.max_capacity }
end

function runbook.plan(run, args)
  if args.desired_count < 0 then
    return { refuse = ("%d tasks cannot be run."):format(args.desired_count) }
  end
  local service, why = services.active(args.cluster, args.service)
  if not service then
    return { refuse = why }
  end
  if service.scheduling_strategy == "DAEMON" then
    return { refuse = ("Service %s runs one task on each instance; it has no count."):format(args.service) }
  end

  local range = bounds(args)
  local outside = range and (args.desired_count < range.min or args.desired_count > range.max)
  if outside and not args.override then
    return {
      refuse = ("Auto scaling keeps %s between %d and %d tasks, and would move %d back."):format(
        args.service,
        range.min,
        range.max,
        args.desired_count
      ),
      next = "Say --override to set it all the same, or change the bounds.",
    }
  elseif range then
    log.warn(("auto scaling looks after %s and may change the count again"):format(args.service))
  end

  if service.desired_count == args.desired_count and service.running_count == args.desired_count then
    return {
      nothing_to_do = ("%s runs %d tasks already."):format(args.service, args.desired_count),
    }
  end
  return {
    from = service.desired_count,
    to = args.desired_count,
    running = service.running_count,
    next = services.command("validate/service", args.cluster, args.service),
  }
end

-- Whether as many tasks run as were asked for, and no more are on their way.
local function is_there(args, service)
  return service.desired_count == args.desired_count
    and service.running_count == args.desired_count
    and (service.pending_count or 0) == 0
end

-- How the service stands: true when the wait is over, else false and what it is like now. A service
-- that is deleted meanwhile is an end of its own; a failure that may pass is not one.
local function look(args, seen)
  local service, why
  local ok, err = attempt(function()
    service, why = services.active(args.cluster, args.service)
    return true
  end)
  seen.unread = not ok
  if not ok then
    if not err.retryable then
      error(err, 0)
    end
    return false, "cannot read the service just now: " .. err.message
  end
  if not service then
    seen.gone = why
    return true
  end
  seen.service = service
  seen.changed = service.desired_count ~= args.desired_count
  local line = services.counts(service)
  local event = service.events and service.events[1]
  if event then
    line = line .. "; " .. event.message
  end
  return is_there(args, service), line
end

-- A read may show the count before the write for a while. Only a different count that lasts is
-- somebody else's.
local LAG = 30

local function wait_for_tasks(args, seen)
  local since
  return attempt(wait_until, {
    what = ("%d tasks of %s"):format(args.desired_count, args.service),
    every = 5,
    timeout = args.wait,
    check = function()
      local done, line = look(args, seen)
      since = seen.changed and (since or now()) or nil
      local lasts = since ~= nil and not seen.unread and now() - since >= LAG
      return done or seen.gone ~= nil or lasts, line
    end,
  })
end

function runbook.apply(run, args, plan)
  step(("Set the desired count to %d"):format(args.desired_count), function()
    ecs.update_service { cluster = args.cluster, service = args.service, desired_count = args.desired_count }
  end)

  local seen = {}
  local done, err = step("Wait for the tasks", function()
    return wait_for_tasks(args, seen)
  end)

  if not done and err.code ~= "Timeout" then
    error(err, 0)
  elseif seen.gone then
    return { verdict = "failed", message = seen.gone }
  elseif not done then
    return {
      verdict = "timed_out",
      message = ("%s is not there yet after %d seconds: %s."):format(
        args.service,
        math.floor(args.wait),
        seen.service and services.counts(seen.service) or "it could not be read"
      ),
    }
  elseif seen.changed then
    return {
      verdict = "superseded",
      message = ("The desired count of %s is %d now, not %d: something else has changed it."):format(
        args.service,
        seen.service.desired_count,
        args.desired_count
      ),
    }
  end
  return { message = ("%s runs %d tasks now (before: %d)."):format(args.service, args.desired_count, plan.from) }
end

-- The service as soon as a read shows it as it was asked for, or as it is when that does not come: a
-- read may be older than the one before it.
local function settled(args)
  local seen = {}
  local done = attempt(wait_until, {
    what = "a read that shows it",
    every = 2,
    timeout = LAG,
    check = function()
      return look(args, seen)
    end,
  })
  if done and not seen.gone then
    return seen.service
  end
  return services.active(args.cluster, args.service)
end

function runbook.verify(run, args, plan, applied)
  local service, why = settled(args)
  if not check("service is active", service ~= nil, why) then
    return
  end
  check("desired count is set", service.desired_count == args.desired_count, services.counts(service))
  check("desired tasks run", service.running_count == args.desired_count, services.counts(service))
  return { message = applied.message }
end

return runbook
