--- The scheduler takes tasks away: of older deployments as newer tasks become healthy, and when there are
-- more than are wanted.

local deployments = require "sim.ecs.deployments"
local events = require "sim.ecs.events"
local survey = require "sim.ecs.survey"

local retiring = {}

local pending = { PROVISIONING = true, PENDING = true, ACTIVATING = true }

-- Takes the protected tasks out of a list. Gives the rest, and how many were taken out.
local function unprotected(world, list)
  local rest = {}
  for _, task in ipairs(list) do
    if not (task.protected_until and task.protected_until > world:now()) then
      rest[#rest + 1] = task
    end
  end
  return rest, #list - #rest
end

local function tell_of_protection(world, service, deployment, count)
  events.write(world, service, "protected", { id = deployment.id, n = tostring(count) })
end

local function rank(task)
  if pending[task.view.last_status] then
    return 1
  elseif task.bad then
    return 2
  elseif not task.good then
    return 3
  end
  return 4
end

-- Worst first; among equals the oldest, or with `youngest` the newest.
local function worst_first(list, youngest)
  for index, task in ipairs(list) do
    task.order = youngest and -index or index
  end
  table.sort(list, function(a, b)
    local first, second = rank(a), rank(b)
    return first < second or first == second and a.order < b.order
  end)
end

--- Stops the first `count` tasks of a list as a move of the scheduler.
function retiring.take_away(world, service, list, count, pass)
  local chosen, running = table.move(list, 1, count, 1, {}), {}
  for _, task in ipairs(chosen) do
    pass.live, pass.good = pass.live - 1, pass.good - (task.good and 1 or 0)
    if not pending[task.view.last_status] then
      running[#running + 1] = task
    end
  end
  deployments.stop(world, chosen)
  if #chosen > #running then
    events.write(world, service, "cancelled", { n = tostring(#chosen - #running) })
  end
  if #running > 0 then
    events.write(world, service, "stopped", { n = tostring(#running), tasks = events.list(running) })
  end
  pass.moving = true
  return chosen
end

--- The tasks of all deployments but the newest that are not told to stop yet.
function retiring.older_tasks(service, pass)
  local list = {}
  for index = 2, #service.deployments do
    for _, task in ipairs(pass.shares[service.deployments[index].id].wanted) do
      list[#list + 1] = task
    end
  end
  return list
end

--- Whether the deployment keeps up its number of tasks by itself.
function retiring.maintained(service, deployment)
  local primary = service.deployments[1]
  if deployment == primary then
    return deployment.rollout_state ~= "FAILED"
  end
  local serves = survey.staged(primary) and (deployment.production or 0) > 0
  return deployment.rollout_state == "COMPLETED" or serves
end

-- Whether an older task keeps nobody's place: it is unhealthy, or never became healthy and never has to.
local function idle(service, task)
  for _, deployment in ipairs(service.deployments) do
    if deployment.id == task.deployment and retiring.maintained(service, deployment) then
      return task.bad ~= nil
    end
  end
  return not task.good
end

-- Puts the idle tasks in front, else in the same order. Gives their number.
local function idle_first(service, list)
  local rest, count = {}, 0
  for _, task in ipairs(list) do
    if idle(service, task) then
      count = count + 1
      list[count] = task
    else
      rest[#rest + 1] = task
    end
  end
  table.move(rest, 1, #rest, count + 1, list)
  return count
end

-- How many of the older tasks may go now; `list` is worst first.
local function spare(service, pass, list)
  local primary = service.deployments[1]
  local share = pass.shares[primary.id]
  if share.good >= service.desired then
    return #list
  end
  local count = math.min(#list, pass.good - pass.lower)
  local missing = primary.desired - survey.standing(share)
  if count <= 0 and missing > 0 and pass.live >= pass.upper then
    count = math.min(missing, idle_first(service, list))
  end
  return math.max(count, 0)
end

--- Stops tasks of older deployments as far as the lower bound allows.
function retiring.retire(world, service, pass)
  local list = retiring.older_tasks(service, pass)
  if #list == 0 then
    return
  end
  worst_first(list)
  local count = spare(service, pass, list)
  local free, kept = unprotected(world, table.move(list, 1, count, 1, {}))
  if kept > 0 and #free == 0 then
    tell_of_protection(world, service, service.deployments[2], kept)
  end
  list, count = free, #free
  if count == 0 then
    return
  end
  local owners = {}
  for _, task in ipairs(retiring.take_away(world, service, list, count, pass)) do
    owners[task.deployment] = (owners[task.deployment] or 0) + 1
  end
  for _, deployment in ipairs(service.deployments) do
    deployment.desired = math.max(deployment.desired - (owners[deployment.id] or 0), 0)
  end
  pass.retired = true
end

--- Stops all tasks of some deployments, which never served or serve no more.
function retiring.abandon(world, service, pass, list)
  for _, deployment in ipairs(list) do
    local wanted = pass.shares[deployment.id].wanted
    deployment.desired = 0
    if #wanted > 0 then
      retiring.take_away(world, service, wanted, #wanted, pass)
    end
  end
end

--- More tasks than the deployment is to have: scale in.
function retiring.trim(world, service, deployment, pass)
  local share = pass.shares[deployment.id]
  local list = {}
  for _, task in ipairs(share.wanted) do
    if task.view.desired_status == "RUNNING" and not task.replacement then
      list[#list + 1] = task
    end
  end
  local free, kept = unprotected(world, list)
  local count = #list + share.started - deployment.desired
  if count > #free and kept > 0 then
    tell_of_protection(world, service, deployment, kept)
  end
  list, count = free, math.min(count, #free)
  if count > 0 then
    worst_first(list, true)
    retiring.take_away(world, service, list, count, pass)
    pass.retired = true
  end
end

return retiring
