--- The service scheduler: one pass over a service looks at its tasks and makes the moves that bring it
-- towards what is wanted, within the bounds of the deployment configuration.

local alarms = require "sim.ecs.alarms"
local deployments = require "sim.ecs.deployments"
local durations = require "sim.facts.durations"
local events = require "sim.ecs.events"
local history = require "sim.ecs.history"
local mending = require "sim.ecs.mending"
local retiring = require "sim.ecs.retiring"
local stages = require "sim.ecs.stages"
local starting = require "sim.ecs.starting"
local survey = require "sim.ecs.survey"
local wake = require "sim.ecs.wake"

local scheduler = { handlers = {} }

-- ---- where the deployment stands -----------------------------------------------------------------

local function older_gone(service, pass)
  return not pass.leaving and not pass.cancelled and #retiring.older_tasks(service, pass) == 0
end

-- How long the deployment is held back though everything is in place: connections drain, alarms are watched.
local function held_back(world, service, primary)
  local now = world:now()
  local until_drained = 0
  if service.desired > 0 and service.drain_settles then
    until_drained = service.drain_settles - now
  end
  local bake = alarms.bake_seconds(service, primary)
  if bake > 0 then
    primary.baking_since = primary.baking_since or now
    bake = primary.baking_since + bake - now
  end
  return math.max(until_drained, bake)
end

local function try_completion(world, service, pass)
  local primary = service.deployments[1]
  local share = pass.shares[primary.id]
  if primary.rollout_state ~= "IN_PROGRESS" or not stages.retires(primary) then
    return
  elseif share.good < service.desired or #share.wanted > service.desired or not older_gone(service, pass) then
    primary.baking_since = nil
    return
  end
  local wait = held_back(world, service, primary)
  if wait > 1e-6 then
    survey.due(pass, wait)
    return
  end
  deployments.complete(world, service)
end

local function note_steady(world, service, pass)
  local primary = service.deployments[1]
  local share = pass.shares[primary.id]
  local steady = primary.rollout_state == "COMPLETED" and share.good == service.desired
    and #share.wanted == service.desired
  if not steady then
    service.steady = false
    return
  end
  local repeated = service.steady_at and world:now() - service.steady_at >= durations.usual("steady_repeat")
  if not service.steady or repeated then
    service.steady, service.steady_at = true, world:now()
    events.write(world, service, "steady", {}, 1)
  end
end

-- A deployment that neither may start nor may stop anything, and nothing is under way: its bounds are wrong.
local function note_deadlock(world, service, pass)
  local primary = service.deployments[1]
  local missing = primary.desired - survey.standing(pass.shares[primary.id])
  if primary.rollout_state == "IN_PROGRESS" and missing > 0 and pass.live >= pass.upper and not pass.moving then
    events.write(world, service, "cannot_move")
  end
end

-- ---- passes --------------------------------------------------------------------------------------

local function check_alarms(world, service)
  local primary = service.deployments[1]
  local fired = primary.rollout_state == "IN_PROGRESS" and not primary.rolls_back
    and alarms.fired(world, service, primary)
  if not fired then
    return false
  end
  local record = history.record(world, primary.service_deployment)
  if record then
    record.triggered = fired
  end
  deployments.fail(world, service, "alarm")
  return true
end

-- An older deployment none of whose tasks is left is not listed any more.
local function drop_empty(world, service)
  local state, owners = world:state("ecs"), {}
  for _, id in ipairs(service.tasks) do
    owners[state.tasks[id].deployment] = true
  end
  local list, primary = {}, service.deployments[1]
  local shifts = survey.staged(primary) or primary.owed
  for index, deployment in ipairs(service.deployments) do
    local kept_up = deployment.rollout_state == "COMPLETED" and deployment.desired > 0
      or shifts and (deployment.production or 0) > 0
    if index == 1 or owners[deployment.id] or kept_up then
      list[#list + 1] = deployment
    end
  end
  service.deployments = list
end

-- Whether nothing is missing and nothing moves while a stage waits for its hook or its time: an answer, the end of
-- that time or whatever goes wrong wakes the scheduler.
local function rests(service, pass)
  for _, deployment in ipairs(service.deployments) do
    local share = pass.shares[deployment.id]
    if retiring.maintained(service, deployment) and survey.standing(share) < deployment.desired then
      return false
    end
  end
  return pass.resting and not pass.moving and not alarms.watching(service)
end

local function plan_next(world, service, pass)
  if service.steady then
    local rest = service.steady_at + durations.usual("steady_repeat") + 1 - world:now()
    wake.after(world, service, math.max(rest, 1))
    return
  end
  if service.deployments[1].rollout_state == "FAILED" and not pass.moving then
    return -- nothing more will happen by itself
  end
  if pass.retired then
    wake.in_about(world, service, "stop_to_start")
  end
  if pass.again then
    wake.after(world, service, pass.again + durations.take(world, "scheduler_reaction"))
  end
  if rests(service, pass) then
    return
  end
  wake.in_about(world, service, "scheduler_pass")
end

-- Takes away what the newest deployment does not need any more.
local function retire(world, service, pass)
  local primary = service.deployments[1]
  if primary.rollout_state == "FAILED" then
    return
  elseif stages.reconciles(primary) then
    retiring.abandon(world, service, pass, stages.leftovers(service))
  elseif stages.retires(primary) then
    retiring.retire(world, service, pass)
  end
end

local function active(world, service)
  if check_alarms(world, service) then
    return
  end
  local primary = service.deployments[1]
  local pass = survey.look(world, service)
  local failure = stages.run(world, service, pass)
  if failure then
    deployments.fail(world, service, "stage", failure)
    return
  end
  if primary.rollout_state ~= "FAILED" then
    primary.desired = stages.wanted(service, primary)
  end
  mending.count(world, service, pass)
  for index = #service.deployments, 1, -1 do
    local deployment = service.deployments[index]
    if retiring.maintained(service, deployment) then
      mending.mend(world, service, deployment, pass)
      starting.fill_up(world, service, deployment, pass)
    end
  end
  retire(world, service, pass)
  for _, deployment in ipairs(service.deployments) do
    if retiring.maintained(service, deployment) then
      retiring.trim(world, service, deployment, pass)
    end
  end
  note_deadlock(world, service, pass)
  try_completion(world, service, pass)
  drop_empty(world, service)
  note_steady(world, service, pass)
  plan_next(world, service, pass)
end

-- A deleted service stops what it has, and is gone when the last task is.
local function draining(world, service)
  local state, list = world:state("ecs"), {}
  for _, id in ipairs(service.tasks) do
    local task = state.tasks[id]
    if task.view.desired_status == "RUNNING" then
      list[#list + 1] = task
    end
  end
  if #list > 0 then
    retiring.take_away(world, service, list, #list, { live = 0, good = 0 })
  end
  if #service.tasks == 0 then
    service.status, service.deployments = "INACTIVE", {}
  end
end

--- One pass over a service.
function scheduler.handlers.pass(world, args)
  local service = wake.due(world, args)
  if not service then
    return
  elseif service.status == "ACTIVE" then
    active(world, service)
  elseif service.status == "DRAINING" then
    draining(world, service)
  end
end

return scheduler
