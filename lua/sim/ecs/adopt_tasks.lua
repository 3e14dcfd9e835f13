--- Recorded tasks: those that run go on running, those on their way up or down take the next step.

local containers = require "sim.ecs.containers"
local definitions = require "sim.ecs.definitions"
local durations = require "sim.facts.durations"
local texts = require "sim.facts.texts"
local util = require "sim.util"
local walk = require "sim.recorded.walk"

local adopt_tasks = {}

-- ---- the interface -------------------------------------------------------------------------------

local function interface_of(view)
  local said = walk.attached(view)
  return {
    id = said.networkInterfaceId, ip = said.privateIPv4Address, mac = said.macAddress, dns = said.privateDnsName,
    subnet = said.subnetId, zone = view.availability_zone,
  }
end

-- A task that has no address yet gets one of its subnets.
local function attach(world, task, network)
  local vpc = (network or {}).awsvpc_configuration or {}
  local adopt = require "sim.ec2.adopt"
  task.interface = interface_of(task.view)
  if task.interface.ip then
    adopt.interface(world, task.interface, task.arn, vpc.security_groups)
  else
    task.interface = require("sim.ec2").interface(world, vpc.subnets[1], task.arn, vpc.security_groups)
  end
  if not task.view.attachments or not task.view.attachments[1] then
    task.view.attachments = {
      { id = world:uuid(), type = "ElasticNetworkInterface", status = "ATTACHED", details = {} },
    }
  end
end

-- ---- what runs inside ----------------------------------------------------------------------------

local function start_processes(world, task)
  local app = require "sim.app"
  task.up_at, task.checks = task.view.started_at or world:now(), {}
  for container, definition in containers.each(world, task) do
    for _, port in ipairs(container.last_status == "RUNNING" and definition.port_mappings or {}) do
      if port.container_port then
        app.adopt(world, task.interface.ip, port.container_port, definition.image, definition.name, task.up_at)
      end
    end
    local check = definition.health_check
    if check then
      world:after(check.interval or 30, "ecs.check",
        { task = task.id, epoch = task.epoch, container = definition.name })
    end
  end
  containers.replan(world, task) -- those of which it is known that they end by themselves
end

local function is_registered(world, task)
  for _, target in ipairs(task.targets) do
    local state = require("sim.elbv2").health(world, target.group, { id = task.interface.ip, port = target.port })
    if state == "unused" then
      return false
    end
  end
  return #task.targets > 0
end

-- ---- the next step -------------------------------------------------------------------------------

local function step(world, task, handler, duration, name)
  world:after(durations.take(world, duration), handler, { task = task.id, epoch = task.epoch, step = name })
end

local function activating(world, task, service)
  start_processes(world, task)
  task.registered = is_registered(world, task) or nil
  if task.registered then
    step(world, task, "ecs.step", "task_registered_to_running", "running")
  elseif not service.registering then
    service.registering = true
    world:after(durations.take(world, "task_up_to_registered"), "ecs.register", { service = service.key })
  end
end

local function running(world, task)
  start_processes(world, task)
  task.registered = is_registered(world, task) or nil
  if task.view.desired_status == "STOPPED" then
    world:after(durations.take(world, "task_stop_noticed"), "ecs.deactivate",
      { tasks = { { task = task.id, epoch = task.epoch } } })
  end
end

-- What a container does when it is told to end was told before: it is taken to end as the last signal does.
local function on_its_way_down(handler_step, duration)
  return function(world, task)
    task.up_at, task.farewells, task.over_at = task.view.started_at, {}, world:now()
    step(world, task, "ecs.stop_step", duration, handler_step)
  end
end

local function stopped(world, task)
  local rest = (task.view.stopped_at or world:now()) + durations.usual("task_kept") - world:now()
  world:after(math.max(rest, 0), "ecs.forget", { task = task.id })
end

local next_steps = {
  PROVISIONING = function(world, task) step(world, task, "ecs.step", "task_attach", "attached") end,
  PENDING = function(world, task) step(world, task, "ecs.step", "task_pull_begins", "pull") end,
  ACTIVATING = activating,
  RUNNING = running,
  DEACTIVATING = on_its_way_down("sigterm", "task_deactivating"),
  STOPPING = on_its_way_down("ended", "task_exit_settles"),
  DEPROVISIONING = on_its_way_down("gone", "task_deprovision"),
  STOPPED = stopped,
}

-- ---- one task ------------------------------------------------------------------------------------

-- The scheduler's own stops make room at once, others when the task is over.
local function is_voluntary(view)
  return view.desired_status == "STOPPED" and view.stop_code == "ServiceSchedulerInitiated"
    and view.stopped_reason == texts.fill(texts.stopped.scaling, { id = view.started_by })
end

local function new_task(service, view, deployment)
  local config = deployment and deployment.config or service.config
  return {
    id = util.last_part(view.task_arn), arn = view.task_arn, cluster = service.cluster, epoch = 1,
    service = service.key, deployment = view.started_by, revision = deployment and deployment.revision,
    targets = containers.targets(config.load_balancers), tags = view.tags or {},
    execution_role = (view.overrides or {}).execution_role_arn, created_at = view.created_at, view = view,
    voluntary = is_voluntary(view) or nil,
  }
end

local function deployment_of(service, id)
  for _, deployment in ipairs(service.deployments) do
    if deployment.id == id then
      return deployment
    end
  end
end

-- Members that other parts count on.
local function complete(view)
  view.version, view.health_status = view.version or 1, view.health_status or "UNKNOWN"
  if view.last_status == "RUNNING" then
    view.started_at = view.started_at or view.created_at
  end
  return view
end

local function add(world, service, shown)
  local state, view = world:state("ecs"), complete(util.copy(shown))
  if not definitions.find(world, view.task_definition_arn) then
    return -- of a definition that could not be read: such a task is gone already, or sim.recorded refuses it
  end
  local deployment = deployment_of(service, view.started_by)
  local task = new_task(service, view, deployment)
  view.tags = nil
  state.tasks[task.id] = task
  table.insert(state.clusters[service.cluster].tasks, task.id)
  if view.last_status == "STOPPED" then
    task.interface = interface_of(view)
  else
    attach(world, task, (deployment and deployment.config or service.config).network_configuration)
    table.insert(service.tasks, task.id)
  end
  local go_on = next_steps[view.last_status]
  if go_on then
    go_on(world, task, service)
  end
end

--- The tasks of a list that are the service's, oldest first, else in the order of the list.
function adopt_tasks.of_service(world, service, list)
  local own, places = {}, {}
  for index, shown in ipairs(list) do
    own[#own + 1] = shown.group == "service:" .. service.name and shown or nil
    places[shown.task_arn] = index
  end
  table.sort(own, function(a, b)
    if a.created_at ~= b.created_at then
      return a.created_at < b.created_at
    end
    return places[a.task_arn] < places[b.task_arn]
  end)
  for _, shown in ipairs(own) do
    add(world, service, shown)
  end
end

return adopt_tasks
