--- Tasks on their way down: DEACTIVATING, STOPPING, DEPROVISIONING, STOPPED.

local containers = require "sim.ecs.containers"
local durations = require "sim.facts.durations"
local events = require "sim.ecs.events"
local failures = require "sim.ecs.failures"
local texts = require "sim.facts.texts"
local util = require "sim.util"
local wake = require "sim.ecs.wake"

local stopping = { handlers = {} }
local steps = {}

local function plan(world, task, delay, step)
  world:after(delay, "ecs.stop_step", { task = task.id, epoch = task.epoch, step = step })
end

local function service_of(world, task)
  return task.service and world:state("ecs").services[task.service]
end

local function change(task, status)
  task.view.last_status = status
  task.view.version = task.view.version + 1
end

-- ---- the verdict ---------------------------------------------------------------------------------

-- From here on the task is meant to stop, and nothing that was planned for it holds.
local function condemn(world, task, code, reason)
  local view = task.view
  task.epoch = task.epoch + 1
  view.desired_status, view.stop_code, view.stopped_reason = "STOPPED", code, reason
  view.stopping_at = world:now()
  view.version = view.version + 1
end

-- Its containers never ran: only the interface has to go.
local function dismantle(world, task)
  for _, container in ipairs(task.view.containers) do
    container.last_status = "STOPPED"
  end
  change(task, "DEPROVISIONING")
  task.over_at = world:now()
  plan(world, task, durations.take(world, "task_deprovision"), "gone")
end

local function plan_deactivation(world, list, duration)
  if #list > 0 then
    world:after(durations.take(world, duration), "ecs.deactivate", { tasks = list })
  end
end

--- Tells tasks to stop. `how`: {code, reason, voluntary}; voluntary stops are the scheduler's own moves, which
-- make room at once. `reason` may be a function of the task.
function stopping.tell(world, list, how)
  local balanced, plain = {}, {}
  for _, task in ipairs(list) do
    if task.view.desired_status == "RUNNING" then
      local before = task.view.last_status
      condemn(world, task, how.code, type(how.reason) == "function" and how.reason(task) or how.reason)
      task.voluntary = how.voluntary
      if before == "PROVISIONING" or before == "PENDING" then
        task.cancelled = true
        dismantle(world, task)
      else
        task.cancelled = before == "ACTIVATING"
        table.insert(task.registered and balanced or plain, { task = task.id, epoch = task.epoch })
      end
    end
  end
  plan_deactivation(world, balanced, "task_stop_to_deactivating")
  plan_deactivation(world, plain, "task_stop_noticed")
end

--- The task could not be set up or started.
function stopping.never_started(world, task, trouble)
  condemn(world, task, "TaskFailedToStart", trouble.text)
  for _, container in ipairs(task.view.containers) do
    if container.name == trouble.container then
      container.reason = trouble.text
    end
  end
  dismantle(world, task)
end

-- ---- leaving the load balancer -------------------------------------------------------------------

local function deregister(world, task, counts)
  local elbv2 = require "sim.elbv2"
  local delay = 0
  for _, target in ipairs(task.targets) do
    elbv2.deregister(world, target.group, { id = task.interface.ip, port = target.port })
    delay = math.max(delay, elbv2.delay(world, target.group) or 0)
    counts[target.group] = (counts[target.group] or 0) + 1
  end
  task.registered = nil
  return delay + durations.take(world, "task_drained_to_stopping")
end

-- One event per target group, then one per deployment whose connections drain.
local function tell_of_draining(world, service, counts, owners)
  for group, count in util.sorted_pairs(counts) do
    events.write(world, service, "deregistered", { n = tostring(count), TG = group })
  end
  local later = 5
  for id, count in util.sorted_pairs(owners) do
    events.write(world, service, "draining", { id = id, n = tostring(count) }, later)
    later = later + 1
    if service.deployments[1] and service.deployments[1].id ~= id then
      service.drain_settles = world:now() + durations.take(world, "drain_to_complete")
    end
  end
end

-- Takes tasks out of their target groups. Gives the delay of each.
local function leave(world, list)
  local delays, by_service = {}, {}
  for index, task in ipairs(list) do
    delays[index] = durations.take(world, "task_deactivating")
    if task.registered then
      local key = task.service
      local sums = by_service[key] or { counts = {}, owners = {} }
      by_service[key] = sums
      delays[index] = deregister(world, task, sums.counts)
      sums.owners[task.deployment] = (sums.owners[task.deployment] or 0) + 1
    end
  end
  for key, sums in util.sorted_pairs(by_service) do
    local service = world:state("ecs").services[key]
    if service then
      tell_of_draining(world, service, sums.counts, sums.owners)
    end
  end
  return delays
end

--- The tasks leave the load balancer; requests that are under way get the deregistration delay.
function stopping.handlers.deactivate(world, args)
  local state, list = world:state("ecs"), {}
  for _, item in ipairs(args.tasks) do
    local task = state.tasks[item.task]
    if task and task.epoch == item.epoch then
      list[#list + 1] = task
      change(task, "DEACTIVATING")
    end
  end
  for index, delay in ipairs(leave(world, list)) do
    plan(world, list[index], delay, "sigterm")
  end
  for _, task in ipairs(list) do
    local service = service_of(world, task)
    if service then
      wake.in_about(world, service, "scheduler_reaction")
    end
  end
end

-- ---- ending --------------------------------------------------------------------------------------

function steps.sigterm(world, task)
  change(task, "STOPPING")
  local seconds = containers.tell(world, task)
  plan(world, task, seconds + durations.take(world, "task_sigterm_overhead"), "ended")
end

function steps.ended(world, task)
  containers.stop_all(world, task)
  task.view.execution_stopped_at = world:now()
  change(task, "DEPROVISIONING")
  plan(world, task, durations.take(world, "task_deprovision"), "gone")
  local reaction = durations.take(world, "lost_task_reaction")
  task.over_at = world:now() + reaction -- from then on its place is free
  local service = service_of(world, task)
  if service then
    wake.after(world, service, reaction)
  end
end

local function remove(list, value)
  for index, item in ipairs(list) do
    if item == value then
      table.remove(list, index)
      return
    end
  end
end

local function deployment_of(service, id)
  for _, deployment in ipairs(service.deployments) do
    if deployment.id == id then
      return deployment
    end
  end
end

-- A task that never ran counts as failed unless somebody wanted it gone.
local function settle_failure(world, service, task)
  local code = task.view.stop_code
  local failed = code == "TaskFailedToStart" or code == "EssentialContainerExited"
  if not failed or task.view.started_at then
    return
  end
  local deployment = deployment_of(service, task.deployment)
  if deployment then
    failures.slow_down(world, service, deployment, task.created_at)
  end
  failures.count(world, service, task.deployment)
  if code == "TaskFailedToStart" then
    events.write(world, service, "not_placed", { why = (task.view.stopped_reason:gsub("%.$", "")) })
  end
end

function steps.gone(world, task)
  change(task, "STOPPED")
  task.view.stopped_at = world:now()
  task.view.attachments[1].status = "DELETED"
  task.view.connectivity = "DISCONNECTED"
  require("sim.ec2").release(world, task.interface.id)
  local service = service_of(world, task)
  if service then
    remove(service.tasks, task.id)
    settle_failure(world, service, task)
    wake.in_about(world, service, "lost_task_reaction")
  end
  world:after(durations.usual("task_kept"), "ecs.forget", { task = task.id })
end

function stopping.handlers.stop_step(world, args)
  local task = world:state("ecs").tasks[args.task]
  if task and task.epoch == args.epoch then
    steps[args.step](world, task)
  end
end

--- A stopped task can be described for an hour.
function stopping.handlers.forget(world, args)
  local state = world:state("ecs")
  local task = state.tasks[args.task]
  if task then
    remove(state.clusters[task.cluster].tasks, task.id)
    state.tasks[task.id] = nil
  end
end

-- ---- ends that nobody asked for ------------------------------------------------------------------

--- A container ended by itself. An essential one takes the task with it.
function stopping.container_ended(world, task, container, definition, ending)
  containers.ended(world, task, container, definition, ending)
  task.view.version = task.view.version + 1
  if not definition.essential or task.view.desired_status == "STOPPED" then
    return
  end
  condemn(world, task, "EssentialContainerExited", texts.fill(texts.stopped.essential, {}))
  leave(world, { task })
  local service = service_of(world, task)
  if service and task.view.started_at then
    failures.count(world, service, task.deployment)
  end
  change(task, "STOPPING")
  local seconds = containers.tell(world, task)
  plan(world, task, seconds + durations.take(world, "task_exit_settles"), "ended")
end

return stopping
