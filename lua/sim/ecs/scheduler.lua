--- The service scheduler: one pass over a service looks at its tasks and makes the moves that bring it
-- towards what is wanted, within the bounds of the deployment configuration.

local alarms = require "sim.ecs.alarms"
local definitions = require "sim.ecs.definitions"
local deployments = require "sim.ecs.deployments"
local durations = require "sim.facts.durations"
local events = require "sim.ecs.events"
local failures = require "sim.ecs.failures"
local health = require "sim.ecs.health"
local history = require "sim.ecs.history"
local stopping = require "sim.ecs.stopping"
local tasks = require "sim.ecs.tasks"
local texts = require "sim.facts.texts"
local wake = require "sim.ecs.wake"

local scheduler = { handlers = {} }

local pending = { PROVISIONING = true, PENDING = true, ACTIVATING = true }

-- ---- what there is -------------------------------------------------------------------------------

-- In how many seconds something is due at the latest.
local function due(pass, seconds)
  if not pass.again or seconds < pass.again then
    pass.again = seconds
  end
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
    due(pass, verdict.again)
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

-- Sorts the tasks by deployment. `live` is what counts against the upper bound: everything that is not
-- stopped, except what the scheduler itself is taking away.
local function survey(world, service)
  local configuration, state = service.deployment_configuration, world:state("ecs")
  local pass = {
    lower = math.ceil(service.desired * configuration.minimum_healthy_percent / 100),
    upper = service.desired * configuration.maximum_percent // 100,
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

-- How many tasks stand for the deployment: those that run or come up, and those that end on their own and have
-- not ended yet. A bad one whose replacement is under way does not count.
local function standing(share)
  local count = share.carried + share.started
  for _, task in ipairs(share.wanted) do
    if not task.replacement then
      count = count + 1
    end
  end
  return count
end

-- ---- starting ------------------------------------------------------------------------------------

local function provider_of(config)
  local strategy = config.capacity_provider_strategy
  local best
  for _, item in ipairs(strategy or {}) do
    local weight = (item.base or 0) * 1000 + (item.weight or 0)
    if not best or weight > best.weight then
      best = { name = item.capacity_provider, weight = weight }
    end
  end
  return best and best.name
end

-- Why no task can be placed now, as an event: its name and values.
local function obstacle(world, service, config)
  if config.launch_type == "EC2" then
    return "no_instances", {}
  end
  local fault = require("sim.faults").get(world, "capacity", service.name)
  if fault then
    return "not_placed", { why = texts.fill(texts.placement[fault] or texts.placement.unavailable, {}) }
  end
end

local function not_placed(world, service, deployment, event, values)
  events.write(world, service, event, values)
  failures.slow_down(world, service, deployment, world:now())
  failures.count(world, service, deployment.id)
end

local function spec_of(world, service, deployment)
  local config = deployment.config
  local propagated = config.propagate_tags == "SERVICE" and service.tags or nil
  if config.propagate_tags == "TASK_DEFINITION" then
    propagated = definitions.find(world, config.task_definition).tags
  end
  return {
    cluster = service.cluster, service = service.key, deployment = deployment.id, revision = deployment.revision,
    definition = definitions.of(world, config.task_definition), group = "service:" .. service.name,
    started_by = deployment.id, network = config.network_configuration, balancers = config.load_balancers,
    capacity_provider = provider_of(config), enable_execute_command = service.enable_execute_command,
    tags = propagated,
  }
end

-- Starts up to `count` tasks. Gives the tasks.
local function start(world, service, deployment, count, pass, event)
  local started = {}
  local problem, values = obstacle(world, service, deployment.config)
  if problem then
    not_placed(world, service, deployment, problem, values)
    return started
  end
  for _ = 1, count do
    local task, why = tasks.create(world, spec_of(world, service, deployment))
    if not task then
      not_placed(world, service, deployment, "not_placed",
        { why = texts.fill(texts.stopped.no_interface, { why = why }) })
      break
    end
    table.insert(service.tasks, task.id)
    started[#started + 1] = task
  end
  if #started > 0 then
    pass.live, pass.moving = pass.live + #started, true
    deployment.updated_at = world:now()
    events.write(world, service, event or "started", { n = tostring(#started), tasks = events.list(started) })
  end
  return started
end

-- Whether a deployment may try now; a wait after failures may be on.
local function may_try(world, deployment, pass)
  if deployment.wait_until and deployment.wait_until > world:now() then
    due(pass, deployment.wait_until - world:now())
    return false
  end
  return true
end

local function fill_up(world, service, deployment, pass)
  local share = pass.shares[deployment.id]
  local count = math.min(deployment.desired - standing(share), pass.upper - pass.live)
  if count > 0 and may_try(world, deployment, pass) then
    local started = start(world, service, deployment, count, pass)
    share.started = share.started + #started
  end
end

-- ---- unhealthy tasks -----------------------------------------------------------------------------

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
    due(pass, at - world:now())
  end
end

local function replace(world, service, deployment, list, pass)
  local count = math.min(#list, pass.upper - pass.live)
  if count <= 0 or not may_try(world, deployment, pass) then
    return 0
  end
  local started = start(world, service, deployment, count, pass, "replaced")
  for index, task in ipairs(started) do
    list[index].replacement = task.id
    list[index].hand_over_after = durations.take(world, "replacement_to_stop")
  end
  pass.shares[deployment.id].started = pass.shares[deployment.id].started + #started
  return #started
end

-- Replaces what is unhealthy: first the replacement, when the bound has room for it; else one bad task goes.
local function mend(world, service, deployment, pass)
  local share, list = pass.shares[deployment.id], {}
  local needless = standing(share) - deployment.desired -- these will be scaled in, the bad ones first
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

-- Counts what turned unhealthy, once per task.
local function count_bad(world, service, pass)
  for _, deployment in ipairs(service.deployments) do
    for _, task in ipairs(pass.shares[deployment.id].wanted) do
      if task.bad and not task.counted then
        task.counted = true
        failures.count(world, service, deployment.id)
      end
    end
  end
end

-- ---- stopping ------------------------------------------------------------------------------------

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

-- Stops the first `count` tasks of a list as a move of the scheduler.
local function take_away(world, service, list, count, pass)
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

local function older_tasks(service, pass)
  local list = {}
  for index = 2, #service.deployments do
    for _, task in ipairs(pass.shares[service.deployments[index].id].wanted) do
      list[#list + 1] = task
    end
  end
  return list
end

-- Whether the deployment keeps up its number of tasks by itself.
local function maintained(service, deployment)
  if deployment == service.deployments[1] then
    return deployment.rollout_state ~= "FAILED"
  end
  return deployment.rollout_state == "COMPLETED"
end

-- Whether an older task keeps nobody's place: it is unhealthy, or never became healthy and never has to.
local function idle(service, task)
  for _, deployment in ipairs(service.deployments) do
    if deployment.id == task.deployment and maintained(service, deployment) then
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
  local missing = primary.desired - standing(share)
  if count <= 0 and missing > 0 and pass.live >= pass.upper then
    count = math.min(missing, idle_first(service, list))
  end
  return math.max(count, 0)
end

local function retire(world, service, pass)
  local list = older_tasks(service, pass)
  if #list == 0 then
    return
  end
  worst_first(list)
  local count = spare(service, pass, list)
  if count == 0 then
    return
  end
  local owners = {}
  for _, task in ipairs(take_away(world, service, list, count, pass)) do
    owners[task.deployment] = (owners[task.deployment] or 0) + 1
  end
  for _, deployment in ipairs(service.deployments) do
    deployment.desired = math.max(deployment.desired - (owners[deployment.id] or 0), 0)
  end
  pass.retired = true
end

-- More tasks than the deployment is to have: scale in.
local function trim(world, service, deployment, pass)
  local share = pass.shares[deployment.id]
  local list = {}
  for _, task in ipairs(share.wanted) do
    if task.view.desired_status == "RUNNING" and not task.replacement then
      list[#list + 1] = task
    end
  end
  local count = math.min(#list + share.started - deployment.desired, #list)
  if count > 0 then
    worst_first(list, true)
    take_away(world, service, list, count, pass)
    pass.retired = true
  end
end

-- ---- where the deployment stands -----------------------------------------------------------------

local function older_gone(service, pass)
  return not pass.leaving and not pass.cancelled and #older_tasks(service, pass) == 0
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
  if primary.rollout_state ~= "IN_PROGRESS" then
    return
  elseif share.good < service.desired or #share.wanted > service.desired or not older_gone(service, pass) then
    primary.baking_since = nil
    return
  end
  local wait = held_back(world, service, primary)
  if wait > 1e-6 then
    due(pass, wait)
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
  local missing = primary.desired - standing(pass.shares[primary.id])
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
  local list = {}
  for index, deployment in ipairs(service.deployments) do
    local kept_up = deployment.rollout_state == "COMPLETED" and deployment.desired > 0
    if index == 1 or owners[deployment.id] or kept_up then
      list[#list + 1] = deployment
    end
  end
  service.deployments = list
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
  wake.in_about(world, service, "scheduler_pass")
end

local function active(world, service)
  if check_alarms(world, service) then
    return
  end
  local primary = service.deployments[1]
  if primary.rollout_state ~= "FAILED" then
    primary.desired = service.desired
  end
  local pass = survey(world, service)
  count_bad(world, service, pass)
  for index = #service.deployments, 1, -1 do
    local deployment = service.deployments[index]
    if maintained(service, deployment) then
      mend(world, service, deployment, pass)
      fill_up(world, service, deployment, pass)
    end
  end
  if primary.rollout_state ~= "FAILED" then
    retire(world, service, pass)
  end
  for _, deployment in ipairs(service.deployments) do
    if maintained(service, deployment) then
      trim(world, service, deployment, pass)
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
    take_away(world, service, list, #list, { live = 0, good = 0 })
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
