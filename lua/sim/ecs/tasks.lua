--- Tasks on their way up: PROVISIONING, PENDING, ACTIVATING, RUNNING. `sim.ecs.stopping` brings them down.
--
-- Each step plans the next one in the queue. A task that is told to stop gets another epoch, and steps of
-- the epoch before are not taken any more.

local containers = require "sim.ecs.containers"
local definitions = require "sim.ecs.definitions"
local durations = require "sim.facts.durations"
local events = require "sim.ecs.events"
local failures = require "sim.ecs.failures"
local launch = require "sim.ecs.launch"
local stopping = require "sim.ecs.stopping"
local wake = require "sim.ecs.wake"
local util = require "sim.util"

local tasks = { handlers = {} }
local steps = {}

local function plan(world, task, delay, step)
  world:after(delay, "ecs.step", { task = task.id, epoch = task.epoch, step = step })
end

local function plan_about(world, task, duration, step)
  plan(world, task, durations.take(world, duration), step)
end

local function service_of(world, task)
  return task.service and world:state("ecs").services[task.service]
end

local function deployment_of(service, id)
  for _, deployment in ipairs(service and service.deployments or {}) do
    if deployment.id == id then
      return deployment
    end
  end
end

-- ---- making one ----------------------------------------------------------------------------------

local function attachment(interface)
  local details = {}
  for _, pair in ipairs {
    { "subnetId", interface.subnet }, { "networkInterfaceId", interface.id }, { "macAddress", interface.mac },
    { "privateDnsName", interface.dns }, { "privateIPv4Address", interface.ip },
  } do
    details[#details + 1] = { name = pair[1], value = pair[2] }
  end
  return details
end

-- A network interface in one of the subnets, in turn. Nil and the reason when there can be none.
local function make_interface(world, network, task_arn)
  local vpc = network and network.awsvpc_configuration
  if not vpc then
    return nil, "no network configuration"
  end
  local state = world:state("ecs")
  state.placed = state.placed + 1
  local subnet = vpc.subnets[(state.placed - 1) % #vpc.subnets + 1]
  local ok, result = pcall(require("sim.ec2").interface, world, subnet, task_arn, vpc.security_groups)
  if ok then
    return result
  elseif type(result) == "table" and result.sim_failure then
    return nil, result.message
  end
  error(result, 0)
end

local architectures = { ["linux/amd64"] = "x86_64", ["linux/arm64"] = "arm64" }

local function new_view(world, task, definition, spec)
  return {
    task_arn = task.arn, task_definition_arn = definition.task_definition_arn,
    cluster_arn = world:arn("ecs", "cluster/" .. task.cluster),
    group = spec.group, started_by = spec.started_by, last_status = "PROVISIONING", desired_status = "RUNNING",
    health_status = "UNKNOWN", cpu = spec.overrides and spec.overrides.cpu or definition.cpu,
    memory = spec.overrides and spec.overrides.memory or definition.memory,
    launch_type = spec.launch_type or "FARGATE", capacity_provider_name = spec.capacity_provider,
    platform_version = "1.4.0", platform_family = "Linux",
    attributes = {
      { name = "ecs.cpu-architecture", value = architectures[launch.platform(definition)] },
    },
    overrides = spec.overrides or { container_overrides = {}, inference_accelerator_overrides = {} },
    ephemeral_storage = definition.ephemeral_storage or { size_in_gi_b = 20 },
    enable_execute_command = spec.enable_execute_command == true,
    created_at = world:now(), version = 1,
  }
end

--- Makes a task; it begins to come up. `spec`: {cluster, definition, group, started_by, network, overrides,
-- service, deployment, revision, balancers, capacity_provider, enable_execute_command, tags, role}. Nil and the
-- reason when no network interface can be made.
function tasks.create(world, spec)
  local state, definition = world:state("ecs"), spec.definition
  local id = world:id(32)
  local task = {
    id = id, cluster = spec.cluster, epoch = 1, service = spec.service, deployment = spec.deployment,
    revision = spec.revision, targets = containers.targets(spec.balancers), tags = spec.tags or {},
    execution_role = spec.overrides and spec.overrides.execution_role_arn, created_at = world:now(),
  }
  task.arn = world:arn("ecs", ("task/%s/%s"):format(spec.cluster, id))
  local interface, why = make_interface(world, spec.network, task.arn)
  if not interface then
    return nil, why
  end
  task.interface = interface
  task.view = new_view(world, task, definition, spec)
  task.view.availability_zone = interface.zone
  task.view.containers = containers.new(world, task, definition, spec.overrides)
  task.view.attachments = {
    { id = world:uuid(), type = "ElasticNetworkInterface", status = "PRECREATED", details = attachment(interface) },
  }
  state.tasks[id] = task
  table.insert(state.clusters[spec.cluster].tasks, id)
  plan_about(world, task, "task_attach", "attached")
  return task
end

-- ---- the way up ----------------------------------------------------------------------------------

local function change(task, status)
  task.view.last_status = status
  task.view.version = task.view.version + 1
end

function steps.attached(world, task)
  change(task, "PENDING")
  task.view.connectivity, task.view.connectivity_at = "CONNECTED", world:now()
  local attached = task.view.attachments[1]
  attached.status = "ATTACHED"
  for _, container in ipairs(task.view.containers) do
    container.network_interfaces = {
      { attachment_id = attached.id, private_ipv4_address = task.interface.ip },
    }
  end
  plan_about(world, task, "task_pull_begins", "pull")
end

-- The task will fail to start when its attempts are used up.
local function plan_failure(world, task, trouble)
  task.trouble = { text = trouble.text, container = trouble.container }
  plan_about(world, task, trouble.duration, "failed")
end

-- The digest to which the task's service revision has pinned a container's image.
local function pinned_digest(world, task, name)
  local revision = task.revision and world:state("ecs").revisions[task.revision]
  for _, image in ipairs(revision and revision.images or {}) do
    if image.container_name == name then
      return image.image_digest, image
    end
  end
end

local function find_images(world, task, definition)
  local bytes = 0
  for index, container in ipairs(definition.container_definitions) do
    local digest, image = pinned_digest(world, task, container.name)
    local found, trouble = launch.image(world, definition, container, digest)
    if not found then
      return nil, trouble
    end
    if image and not digest then
      image.image_digest = found.digest
    end
    containers.set_digest(task, index, digest or found.digest)
    bytes = bytes + (found.size or 0)
  end
  return bytes
end

function steps.pull(world, task)
  local definition = definitions.of(world, task.view.task_definition_arn)
  local trouble = launch.setup_trouble(world, task, definition)
  if trouble then
    plan_failure(world, task, trouble)
    return
  end
  task.view.pull_started_at = world:now()
  local bytes, missing = find_images(world, task, definition)
  if missing then
    plan_failure(world, task, missing)
    return
  end
  plan(world, task, launch.pull_seconds(world, bytes), "pulled")
end

function steps.pulled(world, task)
  task.view.pull_stopped_at = world:now()
  plan_about(world, task, "task_container_up", "up")
end

function steps.failed(world, task)
  stopping.never_started(world, task, task.trouble)
end

local function running(world, task)
  change(task, "RUNNING")
  task.view.started_at = world:now()
  local service = service_of(world, task)
  if service then
    local deployment = deployment_of(service, task.deployment)
    if deployment then
      failures.speed_up(deployment)
    end
    wake.in_about(world, service, "scheduler_reaction")
  end
end

-- Targets of a service are registered together: one event for all that are up by then.
local function plan_registration(world, service)
  if not service.registering then
    service.registering = true
    world:after(durations.take(world, "task_up_to_registered"), "ecs.register", { service = service.key })
  end
end

function steps.up(world, task)
  local name, problem = containers.start_error(world, task)
  if name then
    stopping.never_started(world, task, { text = problem, container = name })
    return
  end
  containers.start(world, task)
  if #task.targets == 0 then
    running(world, task)
    return
  end
  change(task, "ACTIVATING")
  plan_registration(world, service_of(world, task))
end

steps.running = running

function tasks.handlers.step(world, args)
  local task = world:state("ecs").tasks[args.task]
  if task and task.epoch == args.epoch then
    steps[args.step](world, task)
  end
end

-- ---- targets -------------------------------------------------------------------------------------

local function waits_for_registration(task)
  return task.view.last_status == "ACTIVATING" and task.view.desired_status == "RUNNING" and not task.registered
end

local function register(world, task, counts)
  local elbv2 = require "sim.elbv2"
  for _, target in ipairs(task.targets) do
    if elbv2.group(world, target.group) then -- somebody may have deleted it meanwhile
      elbv2.register(world, target.group, { id = task.interface.ip, port = target.port })
      counts[target.group] = (counts[target.group] or 0) + 1
    end
  end
  task.registered = true
  plan_about(world, task, "task_registered_to_running", "running")
end

--- Registers every task of a service that is up. Those that came up only just now wait for the next time.
function tasks.handlers.register(world, args)
  local state = world:state("ecs")
  local service = state.services[args.service]
  if not service then
    return
  end
  service.registering = nil
  local counts, later = {}, false
  local enough = durations.entries.task_up_to_registered[2]
  for _, id in ipairs(service.tasks) do
    local task = state.tasks[id]
    if waits_for_registration(task) then
      if world:now() - task.up_at >= enough then
        register(world, task, counts)
      else
        later = true
      end
    end
  end
  for group, count in util.sorted_pairs(counts) do
    events.write(world, service, "registered", { n = tostring(count), TG = group })
  end
  if later then
    plan_registration(world, service)
  end
end

-- ---- what happens to running ones ----------------------------------------------------------------

local function current(world, args)
  local task = world:state("ecs").tasks[args.task]
  return task and task.epoch == args.epoch and task or nil
end

--- A container's health check is due.
function tasks.handlers.check(world, args)
  local task = current(world, args)
  if task and containers.check(world, task, args.container) then
    task.view.version = task.view.version + 1
    local service = service_of(world, task)
    if service then
      wake.in_about(world, service, "unhealthy_reaction")
    end
  end
end

--- A container listens now; it says so also while its task is being stopped.
function tasks.handlers.ready(world, args)
  local task = world:state("ecs").tasks[args.task]
  if task then
    containers.ready(world, task, args.container)
  end
end

--- A container may end by itself now.
function tasks.handlers.exit(world, args)
  local task = current(world, args)
  local container, definition
  if task then
    container, definition = containers.find(world, task, args.container)
  end
  if not container or container.last_status ~= "RUNNING" then
    return
  end
  local ending = containers.ending(world, task, definition)
  if ending then
    stopping.container_ended(world, task, container, definition, ending)
  end
end

return tasks
