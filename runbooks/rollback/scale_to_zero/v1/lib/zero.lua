--- The two halves of scale-to-zero, in steps that may each be the last: whatever is interrupted, what was
-- saved first is enough to restore. Each half gives nil when it came to its end, or else the ending, a
-- table with verdict and message.
--
-- Uses: ecs.update_service, and what lib.state, lib.saved, lib.scaling and lib.waits use.

local saved = require "lib.saved"
local scaling = require "lib.scaling"
local services = require "moonbook.services"
local state = require "lib.state"
local waits = require "lib.waits"

local zero = {}

local function failed(message)
  return { verdict = "failed", message = message }
end

local function superseded(message)
  return { verdict = "superseded", message = message .. " It was left alone." }
end

-- How a wait ended, as an ending. `late` is what a timeout means for the service.
local function ending_of(how, seen, args, late)
  if how == "done" then
    return nil
  elseif how == "gone" then
    return failed(seen.gone)
  elseif how == "changed" then
    return superseded(seen.changed)
  end
  return {
    verdict = "timed_out",
    message = ("%s after %d seconds: %s."):format(late, math.floor(args.wait), seen.line or "it could not be read"),
  }
end

local function set_count(args, count)
  ecs.update_service { cluster = args.cluster, service = args.service, desired_count = count }
end

-- What is there now, as long as what was saved, by the run `id`, still is: without it nothing may be
-- changed. Or nil and an ending.
local function look_again(args, id)
  local now, why = state.read(args)
  if not now then
    return nil, failed(why)
  elseif id and not now.saved then
    return nil, superseded(("What was saved of %s has gone."):format(args.service))
  elseif now.saved and now.saved.run ~= id then
    return nil, superseded(("Run %s has begun to scale %s to zero."):format(now.saved.run, args.service))
  end
  return now
end

-- ---- to zero -------------------------------------------------------------------------------------

local READ_BACK = 30 -- seconds for which a read may lag behind the tag

-- Whether what was saved can be read as well. Nothing else is changed before that is certain.
local function is_saved(args, was)
  local how = waits.poll(args, {
    what = "what was saved to be read back",
    timeout = READ_BACK,
    look = function(now)
      return { done = now.saved ~= nil and now.saved.run == was.run, line = "the tag is not there yet" }
    end,
  })
  return how == "done"
end

-- What must be restored later: what an earlier run saved unless it is outdated, else what is there now.
-- Gives it, or nil and an ending.
local function save(run, args, plan)
  local now, ending = look_again(args, plan.saved and plan.saved.run)
  if not now then
    return nil, ending
  elseif now.saved and not (plan.outdated and now.desired > 0) then
    return now.saved
  elseif now.desired == 0 then -- since the plan was made
    return nil, superseded(("Somebody else set the desired count of %s to 0."):format(args.service))
  end
  local was = { desired = now.desired, scaling = now.scaling, run = run.id, at = math.floor(run.started) }
  saved.put(now.service.service_arn, was)
  if not is_saved(args, was) then
    local text = "The tag %s of %s cannot be read back; nothing else was changed."
    return nil, failed(text:format(saved.KEY, args.service))
  end
  return was
end

-- Suspends auto scaling with a minimum of 0. Gives whether it was at work until now, or nil and an ending.
local function hold(args, was)
  local now, ending = look_again(args, was.run)
  if not now then
    return nil, ending
  end
  local foreign = state.foreign_limits(now, was)
  if foreign then
    return nil, superseded(foreign)
  end
  local worked = scaling.equal(now.scaling, was.scaling)
  scaling.set(args, scaling.held(was.scaling))
  return worked
end

-- Sets the count to 0 when it is one that will be restored. Auto scaling may have moved it between the
-- moment it was saved and the moment it was suspended: then the newer one is what counts.
local function stop_tasks(args, was, scaled_until_now)
  local now, ending = look_again(args, was.run)
  if not now then
    return ending
  end
  if was.scaling and not scaling.equal(now.scaling, scaling.held(was.scaling)) then
    local text = "Somebody else changed auto scaling of %s: %s now."
    return superseded(text:format(args.service, scaling.tell(now.scaling)))
  end
  local known = now.desired == 0 or now.desired == was.desired
  if not known and scaled_until_now and scaling.may_set(was.scaling, now.desired) then
    was.desired = now.desired
    saved.put(now.service.service_arn, was)
  elseif not known then
    return superseded(state.foreign_count(now, was))
  end
  set_count(args, 0)
end

--- Stops every task. `plan.saved` is what an earlier run saved, if the plan has seen that; it is kept
-- unless the plan says that it is `outdated`.
function zero.stop(run, args, plan)
  local was, ending = step("Save the desired count and the limits of auto scaling", function()
    return save(run, args, plan)
  end)
  if not was then
    return ending
  end
  local worked = false
  if was.scaling then
    worked, ending = step("Suspend auto scaling", function()
      return hold(args, was)
    end)
    if worked == nil then
      return ending
    end
  end
  ending = step("Set the desired count to 0", function()
    return stop_tasks(args, was, worked)
  end)
  if ending then
    return ending
  end
  local gone = {}
  local how, seen = step("Wait until no task is left", function()
    return waits.poll(args, {
      what = ("the last task of %s to go"):format(args.service),
      timeout = args.wait,
      look = function(now)
        return waits.at_zero(args, now, gone)
      end,
    })
  end)
  return ending_of(how, seen, args, ("%s is at zero, but not every task is gone"):format(args.service))
end

-- ---- and back ------------------------------------------------------------------------------------

-- What is to be restored: the saved state, but for what the operator settles by --desired.
local function goal_of(args, now)
  local was = now.saved or {}
  local limits = was.scaling
  if args.desired and limits and state.foreign_limits(now, was) then
    limits = nil -- somebody else's limits stay
  end
  return { desired = args.desired or was.desired, scaling = limits }
end

-- Sets the count. Gives what is to be restored, or nil and an ending.
local function restore_count(args, plan)
  local now, why = state.read(args)
  if not now then
    return nil, failed(why)
  elseif not now.saved and not args.desired then
    return nil, superseded(("What was saved of %s has gone."):format(args.service))
  end
  local foreign = now.saved and state.foreign(now, now.saved)
  local settled = args.desired and now.desired == plan.found
  if foreign and not settled then
    return nil, superseded(foreign)
  end
  local goal = goal_of(args, now)
  goal.arn, goal.run = now.service.service_arn, (now.saved or {}).run
  if not (now.saved and not args.desired and now.desired > 0 and state.moved_by_auto_scaling(now, now.saved)) then
    set_count(args, goal.desired)
  end
  return goal
end

-- Puts the limits back while they are ours. Gives nil or an ending.
local function restore_limits(args, goal)
  local now, ending = look_again(args, goal.run)
  if not now then
    return ending
  end
  local foreign = state.foreign_limits(now, goal)
  if foreign then
    return superseded(foreign)
  end
  scaling.set(args, goal.scaling)
end

-- Removes the tag, which is the last thing to happen, when it is still the one that was restored.
local function forget(goal, seen)
  if seen.now.saved and seen.now.saved.run ~= goal.run then
    return superseded(("Run %s has begun to scale it to zero."):format(seen.now.saved.run))
  end
  saved.remove(goal.arn)
end

-- The count comes first, while auto scaling is suspended and cannot interfere; then auto scaling, so that
-- it is there when what comes back is overrun; then the proof; the tag goes last.
local function restore(args, plan)
  local goal, ending = step("Restore the desired count", function()
    return restore_count(args, plan)
  end)
  if goal and goal.scaling then
    ending = step("Restore auto scaling", function()
      return restore_limits(args, goal)
    end)
  end
  if ending then
    return ending
  end
  local how, seen = step("Wait until the tasks run and their targets are healthy", function()
    return waits.poll(args, {
      what = ("%d tasks of %s"):format(goal.desired, args.service),
      timeout = args.wait,
      look = function(now)
        return waits.restored(args, now, goal)
      end,
    })
  end)
  ending = ending_of(how, seen, args, ("%s is not back"):format(args.service))
  if not ending and goal.run then
    ending = step("Forget what was saved", function()
      return forget(goal, seen)
    end)
  end
  return ending, goal
end

--- Puts back what was saved, or `args.desired`. `plan.found` is the count that the plan has seen, which
-- --desired may overwrite. Gives nil and the goal { desired, scaling }, or an ending.
function zero.restore(args, plan)
  local ending, goal = restore(args, plan)
  if ending then
    ending.next = {
      state.command(args, "restore"),
      services.command("validate/service", args.cluster, args.service),
      ("moonbook run rollback/ecs --cluster %s --service %s"):format(args.cluster, args.service),
    }
    return ending
  end
  return nil, goal
end

return zero
