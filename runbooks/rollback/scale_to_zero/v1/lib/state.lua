--- How a service stands between its saved state and zero, and whether somebody else has a hand in it.
--
-- The desired count may be the saved one or 0, the limits of auto scaling those that were saved or those
-- that hold the service at zero. Anything else is somebody's decision, which is never overwritten.
--
-- Uses: ecs.describe_services, and what lib.saved and lib.scaling use.

local saved = require "lib.saved"
local scaling = require "lib.scaling"
local services = require "moonbook.services"

local state = {}

--- The service as it is now: { service, desired, scaling, saved }; nil and a sentence when there is no
-- such service, or its saved state cannot be read. Every other failure is raised.
function state.read(args)
  local service, why = services.active(args.cluster, args.service, { "TAGS" })
  if not service then
    return nil, why
  end
  local was, problem = saved.of(service)
  if problem then
    return nil, problem
  end
  return { service = service, desired = service.desired_count, scaling = scaling.read(args), saved = was }
end

--- Whether auto scaling, working within the limits that were saved, may have set the count of now.
function state.moved_by_auto_scaling(now, was)
  return was.scaling ~= nil and scaling.equal(now.scaling, was.scaling) and scaling.may_set(now.scaling, now.desired)
end

--- Whether the limits are neither those that were saved nor those that hold the service at zero: nil, or
-- a sentence. A service that auto scaling did not look after has none to compare.
function state.foreign_limits(now, was)
  local ours = not was.scaling
    or scaling.equal(now.scaling, was.scaling)
    or scaling.equal(now.scaling, scaling.held(was.scaling))
  if ours then
    return nil
  end
  return ("Somebody else changed auto scaling of %s: %s now; saved was %s."):format(
    now.service.service_name,
    scaling.tell(now.scaling),
    scaling.tell(was.scaling)
  )
end

--- Whether the count is neither the saved one, nor 0, nor auto scaling's: nil, or a sentence.
function state.foreign_count(now, was)
  if now.desired == 0 or now.desired == was.desired or state.moved_by_auto_scaling(now, was) then
    return nil
  end
  return ("Somebody else changed the desired count of %s: it is %d now, neither %d as saved nor 0."):format(
    now.service.service_name,
    now.desired,
    was.desired
  )
end

--- Either of the two.
function state.foreign(now, was)
  return state.foreign_limits(now, was) or state.foreign_count(now, was)
end

--- Whether what was saved is of no use any more: somebody else has changed count or limits since, but
-- nothing is held at zero, so that what is there now is what to come back to.
function state.outdated(now, was)
  return now.desired > 0 and not state.looks_held(now) and state.foreign(now, was) ~= nil
end

--- Whether auto scaling looks like something that a run of this runbook left behind.
function state.looks_held(now)
  return now.scaling ~= nil and scaling.equal(now.scaling, scaling.held(now.scaling))
end

--- "moonbook run rollback/scale_to_zero ... --action ACTION"
function state.command(args, action)
  return ("moonbook run rollback/scale_to_zero --cluster %s --service %s --action %s"):format(
    args.cluster,
    args.service,
    action
  )
end

return state
