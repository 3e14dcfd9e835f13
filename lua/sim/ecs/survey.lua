--- What there is of a service at one moment: its tasks by deployment, and how healthy they are.

local failures = require "sim.ecs.failures"
local health = require "sim.ecs.health"

local survey = {}

--- In how many seconds something is due at the latest.
function survey.due(pass, seconds)
  if not pass.again or seconds < pass.again then
    pass.again = seconds
  end
end

--- Whether a deployment is on its way through lifecycle stages: it comes up beside what runs.
function survey.staged(deployment)
  return deployment.strategy ~= nil and deployment.rollout_state == "IN_PROGRESS" and not deployment.rolls_back
end

--- How many tasks of a deployment were healthy when the scheduler looked last.
function survey.good(world, service, deployment)
  local count, state = 0, world:state("ecs")
  for _, id in ipairs(service.tasks) do
    local task = state.tasks[id]
    if task.deployment == deployment.id and task.good and task.view.desired_status == "RUNNING"
      and task.view.last_status == "RUNNING" then
      count = count + 1
    end
  end
  return count
end

-- How many tasks the older deployments may have besides those that the upper bound is for.
local function beside(service)
  local count = 0
  for index = survey.staged(service.deployments[1]) and 2 or math.huge, #service.deployments do
    count = count + service.deployments[index].desired
  end
  return count
end

local function judge(world, service, task, share, pass)
  if task.view.last_status ~= "RUNNING" then
    pass.moving = true
    return
  end
  local verdict = health.judge(world, service, task)
  task.ready_since = verdict.ready and (task.ready_since or world:now()) or nil
  task.good, task.bad = verdict.good, verdict.bad
  if verdict.again then
    pass.moving = true
    survey.due(pass, verdict.again)
  end
  if verdict.good then
    share.good, pass.good = share.good + 1, pass.good + 1
    if not task.judged then
      task.judged = true
      failures.forgive(service, task.deployment)
    end
  elseif not verdict.bad then
    pass.moving = true
  end
end

--- Sorts the tasks of a service by deployment. `live` is what counts against the upper bound: everything that is not
-- stopped, except what the scheduler itself is taking away.
function survey.look(world, service)
  local configuration, state = service.deployment_configuration, world:state("ecs")
  local pass = {
    lower = math.ceil(service.desired * configuration.minimum_healthy_percent / 100),
    upper = service.desired * configuration.maximum_percent // 100 + beside(service),
    live = 0, good = 0, shares = {}, leaving = false, cancelled = false, moving = false,
  }
  for _, deployment in ipairs(service.deployments) do
    pass.shares[deployment.id] = { wanted = {}, good = 0, carried = 0, started = 0 }
  end
  local none = { wanted = {}, good = 0, carried = 0, started = 0 }
  for _, id in ipairs(service.tasks) do
    local task = state.tasks[id]
    local share = pass.shares[task.deployment] or none
    pass.live = pass.live + (task.voluntary and 0 or 1)
    if task.view.desired_status == "RUNNING" then
      task.good, task.bad = nil, nil
      table.insert(share.wanted, task)
      judge(world, service, task, share, pass)
    else
      pass.moving = true
      local over = task.over_at and world:now() >= task.over_at - 1e-6
      share.carried = share.carried + ((task.voluntary or over) and 0 or 1)
      if task.deployment ~= service.deployments[1].id then
        pass.leaving = pass.leaving or task.view.last_status == "RUNNING"
        pass.cancelled = pass.cancelled or task.cancelled == true
      end
    end
  end
  return pass
end

--- How many tasks stand for the deployment: those that run or come up, and those that end on their own and have
-- not ended yet. A bad one whose replacement is under way does not count.
function survey.standing(share)
  local count = share.carried + share.started
  for _, task in ipairs(share.wanted) do
    if not task.replacement then
      count = count + 1
    end
  end
  return count
end

return survey
