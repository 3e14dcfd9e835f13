--- What the tests of ECS share: a world with a service in it, and ways to look at it as time passes.

local t = dofile "tests/sim/harness.lua"

local ecs = { t = t }

local account = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"

--- The full name of an image in the account's registry.
function ecs.image(name)
  return account .. "/" .. name
end

function ecs.call(world, operation, input)
  return t.call(world, "ecs", operation, input)
end

--- A network configuration of the first subnets.
function ecs.network(world)
  local ids = {}
  for index, subnet in ipairs(t.call(world, "ec2", "describe_subnets").subnets) do
    ids[index] = subnet.subnet_id
  end
  return { awsvpc_configuration = { subnets = ids, assign_public_ip = "DISABLED" } }
end

--- A target group behind a load balancer. `options`: {delay, interval, unhealthy}.
function ecs.balancer(world, options)
  options = options or {}
  local subnets = t.call(world, "ec2", "describe_subnets").subnets
  local ids = {}
  for index, subnet in ipairs(subnets) do
    ids[index] = subnet.subnet_id
  end
  local group = t.call(world, "elbv2", "create_target_group", {
    name = options.name or "web", protocol = "HTTP", port = 3000, vpc_id = subnets[1].vpc_id, target_type = "ip",
    health_check_path = "/api/healthz", health_check_interval_seconds = options.interval or 15,
    unhealthy_threshold_count = options.unhealthy or 3,
  }).target_groups[1].target_group_arn
  local balancer = t.call(world, "elbv2", "create_load_balancer",
    { name = options.name or "front", subnets = ids }).load_balancers[1].load_balancer_arn
  t.call(world, "elbv2", "create_listener", {
    load_balancer_arn = balancer, protocol = "HTTP", port = 80,
    default_actions = { { type = "forward", target_group_arn = group } },
  })
  t.call(world, "elbv2", "modify_target_group_attributes", {
    target_group_arn = group,
    attributes = {
      { key = "deregistration_delay.timeout_seconds", value = ("%d"):format(options.delay or 30) },
    },
  })
  return group
end

--- Registers a definition of family "web" that runs `image`. `more` overrides members of the container, `top`
-- of the definition.
function ecs.define(world, image, more, top)
  local container = {
    name = "web", image = image, essential = true, port_mappings = { { container_port = 3000 } },
    log_configuration = {
      log_driver = "awslogs",
      options = {
        ["awslogs-group"] = "/ecs/web", ["awslogs-region"] = "eu-west-1", ["awslogs-stream-prefix"] = "ecs",
      },
    },
  }
  for name, value in pairs(more or {}) do
    container[name] = value
  end
  local input = {
    family = "web", network_mode = "awsvpc", requires_compatibilities = { "FARGATE" }, cpu = "256", memory = "512",
    execution_role_arn = "arn:aws:iam::123456789012:role/execution", container_definitions = { container },
  }
  for name, value in pairs(top or {}) do
    input[name] = value
  end
  return ecs.call(world, "register_task_definition", input).task_definition.task_definition_arn
end

--- A world with cluster "prod" and images app:v1 to app:v3, without a service.
function ecs.empty(seed)
  local world = t.world { seed = seed or 1 }
  ecs.call(world, "create_cluster", { cluster_name = "prod" })
  local ecr = require "sim.ecr"
  for _, tag in ipairs { "v1", "v2", "v3" } do
    ecr.add_image(world, { repository = "app", tag = tag, platforms = { "linux/amd64" } })
  end
  t.call(world, "logs", "create_log_group", { log_group_name = "/ecs/web" })
  return world
end

--- The same with service "web" in steady state. `options`: {seed, desired, minimum, maximum, grace, delay,
-- interval, unhealthy, plain = no load balancer, breaker, alarms, container}.
function ecs.start(options)
  options = options or {}
  local world = options.world or ecs.empty(options.seed)
  local group = not options.plain and ecs.balancer(world, options) or nil
  local definition = ecs.define(world, options.image or ecs.image "app:v1", options.container)
  local service = ecs.call(world, "create_service", {
    cluster = "prod", service_name = "web", task_definition = definition, desired_count = options.desired or 1,
    launch_type = "FARGATE", network_configuration = ecs.network(world),
    load_balancers = group and { { target_group_arn = group, container_name = "web", container_port = 3000 } } or nil,
    health_check_grace_period_seconds = options.grace,
    deployment_configuration = {
      minimum_healthy_percent = options.minimum or 100, maximum_percent = options.maximum or 200,
      deployment_circuit_breaker = options.breaker, alarms = options.alarms,
    },
  }).service
  if not options.unsettled then
    t.advance(world, 600)
    t.equal(ecs.service(world).deployments[1].rollout_state, "COMPLETED", "the first deployment")
  end
  return world, group, service
end

--- Updates the service; gives it.
function ecs.update(world, input)
  input.cluster, input.service = "prod", "web"
  return ecs.call(world, "update_service", input).service
end

function ecs.service(world, name)
  return ecs.call(world, "describe_services", { cluster = "prod", services = { name or "web" } }).services[1]
end

--- The events after `since`, oldest first, as {at = seconds after `since`, message = ...}; ids of tasks are
-- left out.
function ecs.events(world, since)
  local out = {}
  for _, event in ipairs(ecs.service(world).events) do
    if event.created_at >= since then
      local message = event.message:gsub("%(service web%) ", ""):gsub("%(service web, ", "("):gsub("%(task %x+%)", "(task)")
        :gsub("%(target%-group [^)]*%)", "(group)"):gsub("ecs%-svc/%d+", "ID")
      table.insert(out, 1, { at = event.created_at - since, message = message })
    end
  end
  return out
end

--- When an event that holds `part` was written, the `which`th of them; nil when there is none.
function ecs.when(list, part, which)
  which = which or 1
  for _, event in ipairs(list) do
    if event.message:find(part, 1, true) then
      which = which - 1
      if which == 0 then
        return event.at
      end
    end
  end
end

--- Moves the clock in small steps until `check` gives something; gives that and the seconds it took.
function ecs.wait(world, limit, check, step)
  local began = world:now()
  while world:now() - began <= limit do
    local found = check()
    if found then
      return found, world:now() - began
    end
    t.advance(world, step or 1)
  end
  error(("waited %d seconds in vain"):format(limit), 2)
end

--- Waits until the newest deployment has this rollout state.
function ecs.wait_for(world, state, limit)
  local _, seconds = ecs.wait(world, limit or 3600, function()
    return ecs.service(world).deployments[1].rollout_state == state
  end)
  return seconds
end

--- All tasks of the service that can be described, in the order in which they were made.
function ecs.tasks(world, status)
  local out = {}
  for _, desired in ipairs(status and { status } or { "RUNNING", "STOPPED" }) do
    local arns = ecs.call(world, "list_tasks", { cluster = "prod", desired_status = desired }).task_arns
    for first = 1, #arns, 100 do
      local some = table.move(arns, first, math.min(first + 99, #arns), 1, {})
      for _, task in ipairs(ecs.call(world, "describe_tasks", { cluster = "prod", tasks = some }).tasks) do
        out[#out + 1] = task
      end
    end
  end
  table.sort(out, function(a, b)
    return a.created_at < b.created_at or a.created_at == b.created_at and a.task_arn < b.task_arn
  end)
  return out
end

--- Fails unless low <= value <= high.
function ecs.within(value, low, high, what)
  if type(value) ~= "number" or value < low or value > high then
    error(("%s is %s, want %s to %s"):format(what, tostring(value), low, high), 2)
  end
end

return ecs
