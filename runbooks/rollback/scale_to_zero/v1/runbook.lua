-- The guide's emergency option: stops every task of a service and puts back its desired count and the
-- limits of auto scaling. What is to be put back is saved in a tag of the service before anything is
-- changed and stays there until it is back, so that this may be interrupted anywhere: running it again,
-- or with --action restore, finishes it. Neither overwrites what somebody else has changed meanwhile.

local health = require "moonbook.health"
local saved = require "lib.saved"
local scaling = require "lib.scaling"
local services = require "moonbook.services"
local state = require "lib.state"
local tasks = require "lib.tasks"
local waits = require "lib.waits"
local zero = require "lib.zero"

local runbook = {}

local LONGEST = { hold = 3600, wait = 3000 } -- seconds; so that all of it fits into the run's own timeout

-- ---- plan ----------------------------------------------------------------------------------------

local function bad_arguments(args)
  if args.desired and args.action ~= "restore" then
    return "--desired says what to restore: it goes with --action restore."
  elseif args.desired and args.desired < 1 then
    return ("%d tasks are nothing to restore; --action stop leaves a service at zero."):format(args.desired)
  elseif args.hold > 0 and args.action ~= "cycle" then
    return "--hold goes with --action cycle."
  elseif args.hold > LONGEST.hold then
    return "--hold may be 1h at most; use --action stop, and --action restore when it is time."
  elseif args.wait > LONGEST.wait then
    return "--wait may be 50m at most; run it again to go on waiting."
  end
end

-- Why this runbook does not scale such a service, or nil.
local function not_ours(service)
  local name = service.service_name
  local controller = service.deployment_controller and service.deployment_controller.type or "ECS"
  if controller ~= "ECS" then
    return ("Service %s is deployed by %s, which decides how many tasks each of its task sets runs."):format(
      name,
      controller
    )
  elseif service.scheduling_strategy == "DAEMON" then
    return ("Service %s has the scheduling strategy DAEMON: one task on each instance, and no count."):format(name)
  elseif not service.service_arn:match ":service/[^/]+/[^/]+$" then
    return ("Service %s has an ARN of the old, short form: it can have no tags, so what to restore cannot be saved."):format(
      name
    )
  end
end

-- Everything that the waits will read is read once now: what is denied must come out before the outage.
local function try_reads(args, service)
  tasks.left(args, {})
  for _, group in ipairs(health.target_groups(service)) do
    health.targets(group)
  end
end

local function tell_saved(was)
  log.warn(
    ("run %s, %d minutes ago, has saved %s; that is what will be restored"):format(
      was.run,
      math.max(0, now() - was.at) // 60,
      saved.tell(was)
    )
  )
end

local function tell_deployment(service)
  local primary = services.primary(service)
  if primary and primary.rollout_state == "IN_PROGRESS" then
    log.warn(
      ("deployment %s is in progress: at zero ECS takes it for completed, and nothing rolls %s back afterwards"):format(
        primary.id,
        services.revision(primary.task_definition)
      )
    )
  end
end

-- How to go on when somebody else has changed something: only the operator can say what is meant.
local function settle(args, found, why)
  return {
    refuse = why,
    next = {
      state.command(args, "restore") .. (" --desired %d"):format(math.max(found.desired, 1)),
      services.command("validate/service", args.cluster, args.service),
    },
  }
end

local function plan_stop(args, found)
  local name = found.service.service_name
  if found.saved and state.outdated(found, found.saved) then
    log.warn(state.foreign(found, found.saved) .. " What is there now is what will be restored: " .. saved.tell(found))
  elseif found.saved then
    local foreign = state.foreign(found, found.saved)
    if foreign then
      return settle(args, found, foreign)
    end
    tell_saved(found.saved)
  elseif found.desired == 0 and args.action == "stop" then
    return {
      nothing_to_do = ("%s is scaled to zero already (%s); what it was before is not saved."):format(
        name,
        services.counts(found.service)
      ),
    }
  elseif found.desired == 0 then
    return {
      refuse = ("%s is scaled to zero already, and what it was before is not saved."):format(name),
      next = state.command(args, "restore") .. " --desired 1",
    }
  else
    log.info(("%s: %s"):format(name, saved.tell(found)))
  end
  tell_deployment(found.service)
end

-- Nothing is saved and no count is given.
local function nothing_saved(args, found)
  local name = found.service.service_name
  if found.desired > 0 and not state.looks_held(found) then
    return { nothing_to_do = ("Nothing is saved of %s: it is to run %s."):format(name, saved.tell(found)) }
  end
  return {
    refuse = ("What %s was before it was scaled to zero is not saved; it is to run %s."):format(
      name,
      saved.tell(found)
    ),
    next = state.command(args, "restore") .. (" --desired %d"):format(math.max(found.desired, 1)),
  }
end

-- What the limits would be after --desired, or a refusal when auto scaling would move the count at once.
local function plan_desired(args, found)
  local was = found.saved
  local foreign = was and state.foreign(found, was)
  if foreign then
    log.warn(foreign .. " What is not as this runbook left it stays as it is.")
  elseif not was and state.looks_held(found) then
    log.warn("auto scaling is suspended, and what it was before is not saved: it stays so")
  end
  local limits = was and not state.foreign_limits(found, was) and was.scaling or found.scaling
  if limits and (args.desired < limits.min or args.desired > limits.max) then
    return {
      refuse = ("%d tasks cannot be restored: %s would move that."):format(args.desired, scaling.tell(limits)),
    }
  end
end

local function plan_restore(args, found)
  if args.desired then
    return plan_desired(args, found)
  elseif not found.saved then
    return nothing_saved(args, found)
  end
  local foreign = state.foreign(found, found.saved)
  if foreign then
    return settle(args, found, foreign)
  end
  tell_saved(found.saved)
end

function runbook.plan(run, args)
  local mistake = bad_arguments(args)
  if mistake then
    return { refuse = mistake }
  end
  local found, why = state.read(args)
  if not found then
    return { refuse = why }
  end
  local refusal = not_ours(found.service)
  if refusal then
    return { refuse = refusal }
  end
  local ending = (args.action == "restore" and plan_restore or plan_stop)(args, found)
  if ending then
    return ending
  end
  try_reads(args, found.service)
  return {
    found = found.desired,
    running = found.service.running_count,
    saved = found.saved,
    outdated = found.saved ~= nil and state.outdated(found, found.saved),
    scaling = found.scaling,
    task_definition = services.revision(found.service.task_definition),
    next = state.command(args, "restore"),
  }
end

-- ---- apply ---------------------------------------------------------------------------------------

-- "web is back: 3 tasks, auto scaling between 1 and 10"; limits that this run did not touch are not told.
local function back(args, goal)
  local limits = goal.scaling and ", " .. scaling.tell(goal.scaling) or ""
  return ("%s is back: %s%s"):format(args.service:match "[^/]+$", saved.count(goal.desired), limits)
end

local function hold(args)
  step(("Stay at zero for %d seconds"):format(math.floor(args.hold)), function()
    sleep(args.hold)
  end)
end

function runbook.apply(run, args, plan)
  if args.action ~= "restore" then
    local ending = zero.stop(run, args, plan)
    if ending then
      return ending
    end
  end
  if args.action == "stop" then
    return { message = ("%s runs no task; --action restore puts it back."):format(args.service:match "[^/]+$") }
  elseif args.hold > 0 then
    hold(args)
  end
  local ending, goal = zero.restore(args, plan)
  if ending then
    return ending
  end
  return {
    desired = goal.desired,
    scaling = goal.scaling,
    message = ("%s, with %s%s."):format(
      back(args, goal),
      plan.task_definition,
      args.action == "cycle" and ", which it ran before" or ""
    ),
  }
end

-- ---- verify --------------------------------------------------------------------------------------

local function verify_stop(args, applied)
  local gone = {}
  local seen = waits.settled(args, function(now)
    return waits.at_zero(args, now, gone)
  end)
  local found = seen.now
  if not check("service can be read", found ~= nil, seen.gone or seen.line) then
    return
  end
  check("desired count is 0", found.desired == 0, services.counts(found.service))
  check("no task is left", seen.done == true, seen.line)
  local was = found.saved
  local kept = was and saved.tell(was) or "the tag " .. saved.KEY .. " has gone"
  if not check("what it was is saved", was ~= nil, kept) then
    return
  end
  if was.scaling then
    local held = scaling.equal(found.scaling, scaling.held(was.scaling))
    check("auto scaling is suspended", held, scaling.tell(found.scaling))
  end
  return { message = applied.message, next = state.command(args, "restore") }
end

local function verify_restore(args, applied)
  local seen = waits.settled(args, function(now)
    local look = waits.restored(args, now, applied)
    look.done = look.done and now.saved == nil
    return look
  end)
  local found = seen.now
  if not check("service can be read", found ~= nil, seen.gone or seen.line) then
    return
  end
  check("desired count is back", waits.count_is_back(found, applied), services.counts(found.service))
  if applied.scaling then
    check("auto scaling is as before", waits.limits_are_back(found, applied), scaling.tell(found.scaling))
  end
  check("tasks run and targets are healthy", waits.restored(args, found, applied).done, seen.line)
  check("nothing is saved any more", found.saved == nil, found.saved and "the tag " .. saved.KEY .. " is there")
  return { message = applied.message, next = services.command("validate/service", args.cluster, args.service) }
end

function runbook.verify(run, args, plan, applied)
  return (args.action == "stop" and verify_stop or verify_restore)(args, applied)
end

-- ---- undo ----------------------------------------------------------------------------------------

-- Puts back what is saved, whichever run has saved it and however far it came; without anything saved
-- there is nothing to put back.
function runbook.undo(run, args, plan)
  local found, why = state.read(args)
  if not found then
    error(why, 0)
  elseif not found.saved then
    return { message = ("Nothing is saved of %s, so there is nothing to put back."):format(args.service) }
  end
  local ending, goal = zero.restore(args, { found = found.desired })
  return ending or { message = back(args, goal) .. "." }
end

return runbook
