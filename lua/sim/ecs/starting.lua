--- The scheduler starts tasks: what they are made of, and what keeps them from being placed.

local definitions = require "sim.ecs.definitions"
local events = require "sim.ecs.events"
local failures = require "sim.ecs.failures"
local survey = require "sim.ecs.survey"
local tasks = require "sim.ecs.tasks"
local texts = require "sim.facts.texts"
local traffic = require "sim.ecs.traffic"

local starting = {}

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
    started_by = deployment.id, network = config.network_configuration,
    balancers = traffic.balancers(config, deployment.swapped), capacity_provider = provider_of(config),
    enable_execute_command = service.enable_execute_command,
    tags = propagated,
  }
end

--- Starts up to `count` tasks. Gives the tasks.
function starting.start(world, service, deployment, count, pass, event)
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

--- Whether a deployment may try now; a wait after failures may be on.
function starting.may_try(world, deployment, pass)
  if deployment.wait_until and deployment.wait_until > world:now() then
    survey.due(pass, deployment.wait_until - world:now())
    return false
  end
  return true
end

--- Starts what the deployment lacks, as far as the upper bound has room.
function starting.fill_up(world, service, deployment, pass)
  local share = pass.shares[deployment.id]
  local count = math.min(deployment.desired - survey.standing(share), pass.upper - pass.live)
  if count > 0 and starting.may_try(world, deployment, pass) then
    local started = starting.start(world, service, deployment, count, pass)
    share.started = share.started + #started
  end
end

return starting
