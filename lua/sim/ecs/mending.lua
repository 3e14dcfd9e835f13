--- The scheduler deals with unhealthy tasks: counts them, replaces them, stops them.

local durations = require "sim.facts.durations"
local events = require "sim.ecs.events"
local failures = require "sim.ecs.failures"
local starting = require "sim.ecs.starting"
local stopping = require "sim.ecs.stopping"
local survey = require "sim.ecs.survey"
local texts = require "sim.facts.texts"

local mending = {}

local function stop_bad(world, service, task)
  local reason, bad = texts.fill(texts.stopped.container_unhealthy, {}), task.bad
  if bad.target then
    reason = texts.fill(texts.stopped.target_unhealthy, { TG = bad.target.group })
    events.write(world, service, "target_unhealthy", {
      T = task.id, p = tostring(bad.target.port), TG = bad.target.group, why = bad.why or "Health checks failed",
    })
  else
    events.write(world, service, "container_unhealthy", { T = task.id })
  end
  events.write(world, service, "stopped", { n = "1", tasks = events.list { task } }, 1)
  stopping.tell(world, { task }, { code = "ServiceSchedulerInitiated", reason = reason })
end

-- The task that is to take over from a bad one, when it is still on its way.
local function replacement_of(world, task)
  local other = task.replacement and world:state("ecs").tasks[task.replacement]
  if other and other.view.desired_status == "RUNNING" then
    return other
  end
  task.replacement = nil
end

-- Stops a bad task once its replacement has been ready for a while.
local function hand_over(world, service, task, other, pass)
  if not other.ready_since then
    return
  end
  local at = other.ready_since + task.hand_over_after
  if world:now() >= at - 1e-6 then
    stop_bad(world, service, task)
    pass.moving = true
  else
    survey.due(pass, at - world:now())
  end
end

local function replace(world, service, deployment, list, pass)
  local count = math.min(#list, pass.upper - pass.live)
  if count <= 0 or not starting.may_try(world, deployment, pass) then
    return 0
  end
  local started = starting.start(world, service, deployment, count, pass, "replaced")
  for index, task in ipairs(started) do
    list[index].replacement = task.id
    list[index].hand_over_after = durations.take(world, "replacement_to_stop")
  end
  pass.shares[deployment.id].started = pass.shares[deployment.id].started + #started
  return #started
end

--- Replaces what is unhealthy: first the replacement, when the bound has room for it; else one bad task goes.
function mending.mend(world, service, deployment, pass)
  local share, list = pass.shares[deployment.id], {}
  local needless = survey.standing(share) - deployment.desired -- these will be scaled in, the bad ones first
  for _, task in ipairs(share.wanted) do
    if task.bad and not task.replacement and needless > 0 then
      needless = needless - 1
    elseif task.bad then
      pass.moving = true
      local other = replacement_of(world, task)
      if other then
        hand_over(world, service, task, other, pass)
      else
        list[#list + 1] = task
      end
    end
  end
  local replaced = replace(world, service, deployment, list, pass)
  if list[replaced + 1] and pass.live >= pass.upper then
    stop_bad(world, service, list[replaced + 1])
  end
end

--- Counts what turned unhealthy, once per task.
function mending.count(world, service, pass)
  for _, deployment in ipairs(service.deployments) do
    for _, task in ipairs(pass.shares[deployment.id].wanted) do
      if task.bad and not task.counted then
        task.counted = true
        failures.count(world, service, deployment.id)
      end
    end
  end
end

return mending
