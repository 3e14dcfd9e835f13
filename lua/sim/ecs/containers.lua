--- What runs inside a task: processes that start, are checked, end, and write to their logs.

local definitions = require "sim.ecs.definitions"
local durations = require "sim.facts.durations"
local texts = require "sim.facts.texts"
local util = require "sim.util"

local containers = {}

--- The containers of a task with their definitions, in order.
local function each(world, task)
  local definition = definitions.of(world, task.view.task_definition_arn)
  local index = 0
  return function()
    index = index + 1
    return task.view.containers[index], definition.container_definitions[index]
  end
end

containers.each = each

--- A container of a task by name, with its definition.
function containers.find(world, task, name)
  for container, definition in each(world, task) do
    if container.name == name then
      return container, definition
    end
  end
end

-- What the container does. One that was given a command of its own does that and ends, unless a scenario
-- says something else.
local function behaviour_of(world, task, definition)
  local behaviour = require("sim.app").behaviour(world, definition.image, definition.name)
  if task.commanded and task.commanded[definition.name] and not behaviour.exit then
    behaviour.exit = { code = 0, after = durations.usual("task_command") }
  end
  return behaviour
end

--- The first container that cannot be started at all, and why.
function containers.start_error(world, task)
  for _, definition in each(world, task) do
    local why = behaviour_of(world, task, definition).start_error
    if why then
      return definition.name, texts.fill(texts.start.entry_point, { why = why })
    end
  end
end

--- Writes a line to a container's log, when it has one.
function containers.log(world, task, definition, message)
  local log = definition.log_configuration
  local options = log and log.log_driver == "awslogs" and log.options
  if not options or not options["awslogs-group"] then
    return
  end
  local prefix = options["awslogs-stream-prefix"]
  local stream = prefix and ("%s/%s/%s"):format(prefix, definition.name, task.id) or task.id
  require("sim.logs").put(world, options["awslogs-group"], stream, message)
end

-- Lines that the application's behaviour says it writes: a text or a list of them.
local function say(world, task, definition, lines)
  if type(lines) == "string" then
    lines = { lines }
  end
  for _, line in ipairs(lines or {}) do
    containers.log(world, task, definition, line)
  end
end

-- ---- starting ------------------------------------------------------------------------------------

local function plan_exits(world, task, container, behaviour)
  local age = world:now() - task.up_at
  local args = { task = task.id, epoch = task.epoch, container = container.name }
  if behaviour.exit then
    world:after(math.max(behaviour.exit.after - age, 0), "ecs.exit", args)
  end
  if behaviour.oom_after then
    world:after(math.max(behaviour.oom_after - age, 0), "ecs.exit", args)
  end
end

local function plan_check(world, task, definition)
  local check = definition.health_check
  if check then
    world:after(check.interval, "ecs.check",
      { task = task.id, epoch = task.epoch, container = definition.name })
  end
end

-- It says that it listens when it does.
local function plan_ready(world, task, definition, behaviour)
  if behaviour.ready then
    world:after(behaviour.start_seconds, "ecs.ready", { task = task.id, container = definition.name })
  end
end

--- A container listens now, unless its process has ended meanwhile.
function containers.ready(world, task, name)
  local container, definition = containers.find(world, task, name)
  if container and container.last_status == "RUNNING" then
    say(world, task, definition, behaviour_of(world, task, definition).ready)
  end
end

--- All containers of the task run.
function containers.start(world, task)
  local app = require "sim.app"
  task.up_at = world:now()
  task.checks = {}
  for container, definition in each(world, task) do
    local behaviour = behaviour_of(world, task, definition)
    container.last_status = "RUNNING"
    container.runtime_id = ("%s-%s"):format(task.id, world:id(10, "123456789"))
    for _, port in ipairs(definition.port_mappings) do
      if port.container_port then -- a range of ports has none
        app.start(world, task.interface.ip, port.container_port, definition.image, definition.name)
      end
    end
    say(world, task, definition, behaviour.says)
    plan_ready(world, task, definition, behaviour)
    plan_exits(world, task, container, behaviour)
    plan_check(world, task, definition)
  end
end

--- Behaviours were changed: ends that are due now happen now.
function containers.replan(world, task)
  for container, definition in each(world, task) do
    if container.last_status == "RUNNING" then
      plan_exits(world, task, container, behaviour_of(world, task, definition))
    end
  end
end

-- ---- ending --------------------------------------------------------------------------------------

--- How a running container ends by itself now: {code, reason, says}, or nil when it goes on.
function containers.ending(world, task, definition)
  local behaviour = behaviour_of(world, task, definition)
  local age = world:now() - task.up_at + 1e-6
  if behaviour.oom_after and age >= behaviour.oom_after then
    return { code = 137, reason = texts.fill(texts.stopped.out_of_memory, {}) }
  elseif behaviour.exit and age >= behaviour.exit.after then
    return { code = behaviour.exit.code or 0, reason = behaviour.exit.reason, says = behaviour.exit.says }
  end
end

--- A container's process has ended.
function containers.ended(world, task, container, definition, ending)
  container.last_status = "STOPPED"
  container.exit_code = ending.code
  container.reason = ending.reason
  say(world, task, definition, ending.says)
end

-- What a process does when it is told to end: how long it takes, and its exit code.
local function farewell(behaviour, definition)
  local limit = definition.stop_timeout or 30
  local stop = behaviour.stop
  if not stop or (stop.seconds or 0) >= limit then
    return limit, 137
  end
  return stop.seconds or 0, stop.code or 143
end

--- How many seconds the running containers take to end after SIGTERM; how they end is kept for later.
function containers.tell(world, task)
  local longest = 0
  for container, definition in each(world, task) do
    if container.last_status == "RUNNING" then
      local seconds, code = farewell(behaviour_of(world, task, definition), definition)
      task.farewells = task.farewells or {}
      task.farewells[container.name] = code
      longest = math.max(longest, seconds)
    end
  end
  return longest
end

--- Every process of the task is gone.
function containers.stop_all(world, task)
  for container, definition in each(world, task) do
    if container.last_status == "RUNNING" then
      containers.ended(world, task, container, definition, { code = task.farewells[container.name] or 137 })
    end
    container.last_status = "STOPPED"
  end
  if task.up_at then
    require("sim.app").stop(world, task.interface.ip)
  end
end

-- ---- health --------------------------------------------------------------------------------------

-- The address that a check such as ["CMD-SHELL", "curl -f http://localhost:3000/ready"] asks.
local function asked_address(command)
  local line = table.concat(command, " ")
  local port, path = line:match("https?://[^/:%s]+:(%d+)(/[^%s'\"|;]*)")
  if not port then
    port = line:match("https?://[^/:%s]+:(%d+)")
  end
  return port and math.tointeger(tonumber(port)), path or "/"
end

local function passes(world, task, definition)
  local behaviour = behaviour_of(world, task, definition)
  if behaviour.health then
    return behaviour.health == "healthy"
  end
  local port, path = asked_address(definition.health_check.command)
  if not port then
    return true
  end
  local answer = require("sim.app").probe(world, task.interface.ip, port, path)
  return answer ~= nil and answer.status ~= nil and answer.status < 400
    and answer.seconds <= definition.health_check.timeout
end

-- The task is as healthy as the worst of its essential containers that are checked.
local function task_health(world, task)
  local health
  for container, definition in each(world, task) do
    if definition.essential and definition.health_check then
      local is = container.health_status
      if is == "UNHEALTHY" or health == nil or health == "HEALTHY" and is == "UNKNOWN" then
        health = is
      end
      if health == "UNHEALTHY" then
        break
      end
    end
  end
  return health or "UNKNOWN"
end

local function verdict(world, task, container, definition)
  local check, memory = definition.health_check, task.checks[container.name] or { failed = 0 }
  task.checks[container.name] = memory
  if passes(world, task, definition) then
    memory.failed, memory.passed = 0, true
    return "HEALTHY"
  end
  local sheltered = not memory.passed and world:now() - task.up_at < (check.start_period or 0)
  if not sheltered then
    memory.failed = memory.failed + 1
  end
  return memory.failed >= check.retries and "UNHEALTHY" or container.health_status
end

--- Does a container's health check. True when the task's health is another one now.
function containers.check(world, task, name)
  local container, definition = containers.find(world, task, name)
  if not container or container.last_status ~= "RUNNING" then
    return false
  end
  container.health_status = verdict(world, task, container, definition)
  plan_check(world, task, definition)
  local before = task.view.health_status
  task.view.health_status = task_health(world, task)
  return task.view.health_status ~= before
end

--- Whether an essential container of this definition is health checked.
function containers.checked(definition)
  for _, container in ipairs(definition.container_definitions) do
    if container.essential and container.health_check then
      return true
    end
  end
  return false
end

--- The containers of a new task as DescribeTasks shows them.
function containers.new(world, task, definition, overrides)
  local out, task_arn = {}, task.view.task_arn
  for index, container in ipairs(definition.container_definitions) do
    local override = {}
    for _, item in ipairs(overrides and overrides.container_overrides or {}) do
      override = item.name == container.name and item or override
    end
    if override.command then
      task.commanded = task.commanded or {}
      task.commanded[container.name] = true
    end
    local memory = override.memory or container.memory
    local reserved = override.memory_reservation or container.memory_reservation
    out[index] = {
      container_arn = world:arn("ecs", ("container/%s/%s/%s"):format(task.cluster, task.id, world:uuid())),
      task_arn = task_arn, name = container.name, image = container.image,
      last_status = "PENDING", network_interfaces = {}, health_status = "UNKNOWN",
      cpu = tostring(override.cpu or container.cpu or 0),
      memory = memory and tostring(memory), memory_reservation = reserved and tostring(reserved),
    }
  end
  return out
end

--- Puts what SHA-256 names an image into the container that uses it.
function containers.set_digest(task, index, digest)
  task.view.containers[index].image_digest = digest
end

--- Names of the containers with a service's target groups: {group, port, container}.
function containers.targets(balancers)
  local out = {}
  for _, balancer in ipairs(balancers or {}) do
    if balancer.target_group_arn then
      out[#out + 1] = {
        group = balancer.target_group_arn, port = balancer.container_port, container = balancer.container_name,
      }
    end
  end
  return util.copy(out)
end

return containers
