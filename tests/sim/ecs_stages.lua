--- What the tests of deployments with lifecycle stages share: services that are deployed so, and ways to look at
-- their deployments and to answer them. Has all of ecs_world too.

local ecs = dofile "tests/sim/ecs_world.lua"
local t = ecs.t

-- ---- services ------------------------------------------------------------------------------------

local function forward_rule(world, listener, first, second)
  return t.call(world, "elbv2", "create_rule", {
    listener_arn = listener, priority = 1, conditions = { { field = "path-pattern", values = { "/*" } } },
    actions = { { type = "forward", forward_config = { target_groups = {
      { target_group_arn = first, weight = 1 }, { target_group_arn = second, weight = 0 },
    } } } },
  }).rules[1].rule_arn
end

--- A load balancer that can shift: {first, second, production, test}, ARNs of its groups and rules.
function ecs.shifting_balancer(world, options)
  local front = { first = ecs.balancer(world, options) }
  local like = t.call(world, "elbv2", "describe_target_groups",
    { target_group_arns = { front.first } }).target_groups[1]
  front.second = t.call(world, "elbv2", "create_target_group", {
    name = "web-green", protocol = "HTTP", port = 3000, vpc_id = like.vpc_id, target_type = "ip",
    health_check_path = "/api/healthz", health_check_interval_seconds = 15, unhealthy_threshold_count = 3,
  }).target_groups[1].target_group_arn
  t.call(world, "elbv2", "modify_target_group_attributes", {
    target_group_arn = front.second,
    attributes = { { key = "deregistration_delay.timeout_seconds", value = "30" } },
  })
  front.balancer = like.load_balancer_arns[1]
  local listener = t.call(world, "elbv2", "describe_listeners", { load_balancer_arn = front.balancer }).listeners[1]
  front.production = forward_rule(world, listener.listener_arn, front.first, front.second)
  local tests = t.call(world, "elbv2", "create_listener", {
    load_balancer_arn = front.balancer, protocol = "HTTP", port = 8080,
    default_actions = { { type = "forward", target_group_arn = front.first } },
  }).listeners[1]
  front.test = forward_rule(world, tests.listener_arn, front.first, front.second)
  return front
end

--- The load balancers of a service behind a balancer that can shift.
function ecs.shifting(front)
  return { {
    target_group_arn = front.first, container_name = "web", container_port = 3000,
    advanced_configuration = {
      alternate_target_group_arn = front.second, production_listener_rule = front.production,
      test_listener_rule = front.test, role_arn = "arn:aws:iam::123456789012:role/infrastructure",
    },
  } }
end

--- A world with service "web" that is deployed with lifecycle stages, steady on app:v1; and its balancer.
-- `options`: {world, seed, desired, plain = no load balancer, breaker, alarms, and members of the deployment
-- configuration: strategy, bake, hooks, linear, canary}.
function ecs.staged(options)
  options = options or {}
  local world = options.world or ecs.empty(options.seed)
  local front = not options.plain and ecs.shifting_balancer(world, options) or nil
  ecs.call(world, "create_service", {
    cluster = "prod", service_name = "web", task_definition = ecs.define(world, ecs.image "app:v1"),
    desired_count = options.desired or 1, launch_type = "FARGATE", network_configuration = ecs.network(world),
    load_balancers = front and ecs.shifting(front) or nil,
    deployment_configuration = {
      strategy = options.strategy or "BLUE_GREEN", bake_time_in_minutes = options.bake or 5,
      linear_configuration = options.linear, canary_configuration = options.canary,
      deployment_circuit_breaker = options.breaker, alarms = options.alarms,
    },
  })
  if not options.unsettled then
    t.advance(world, 600)
    t.equal(ecs.service(world).deployments[1].rollout_state, "COMPLETED", "the first deployment")
  end
  if options.hooks then
    ecs.update(world, { deployment_configuration = { lifecycle_hooks = options.hooks } })
  end
  return world, front
end

--- The newest service deployment, or the `which`th newest.
function ecs.record(world, which)
  local list = ecs.call(world, "list_service_deployments", { cluster = "prod", service = "web" }).service_deployments
  return ecs.call(world, "describe_service_deployments",
    { service_deployment_arns = { list[which or 1].service_deployment_arn } }).service_deployments[1]
end

--- Waits until the newest service deployment is at a stage; gives its record.
function ecs.wait_stage(world, stage, limit)
  return ecs.wait(world, limit or 1800, function()
    local record = ecs.record(world)
    return record.lifecycle_stage == stage and record
  end)
end

--- Waits until the newest service deployment has this status; gives its record.
function ecs.wait_status(world, status, limit)
  return ecs.wait(world, limit or 3600, function()
    local record = ecs.record(world)
    return record.status == status and record
  end)
end

--- The weights of a listener rule: of the first group, and of the second.
function ecs.weights(world, front, kind)
  local rule = t.call(world, "elbv2", "describe_rules", { rule_arns = { front[kind] } }).rules[1]
  local by_group = {}
  for _, group in ipairs(rule.actions[1].forward_config.target_groups) do
    by_group[group.target_group_arn] = group.weight
  end
  return { by_group[front.first], by_group[front.second] }
end

-- ---- what somebody does --------------------------------------------------------------------------

--- Somebody deploys an image, "app:v2".
function ecs.deploy(world, image)
  ecs.update(world, { task_definition = ecs.define(world, ecs.image(image)) })
end

--- The function of the hooks that ecs.gate makes.
ecs.gate_arn = "arn:aws:lambda:eu-west-1:123456789012:function:gate"

--- A pause hook, and one that asks a function, at a stage.
function ecs.pause(stage, timeout)
  return { target_type = "PAUSE", lifecycle_stages = { stage }, timeout_configuration = timeout }
end

function ecs.gate(stage)
  return { hook_target_arn = ecs.gate_arn, lifecycle_stages = { stage } }
end

--- Answers the first hook of the newest deployment, or the one of this id; gives what the call gave.
function ecs.answer(world, action, hook_id)
  local record = ecs.record(world)
  return world:call("ecs", "continue_service_deployment", {
    service_deployment_arn = record.service_deployment_arn, action = action,
    hook_id = hook_id or record.lifecycle_hook_details[1].hook_id,
  }, t.caller)
end

--- Stops the newest deployment, or the one of this ARN; gives what the call gave.
function ecs.stop(world, arn)
  return world:call("ecs", "stop_service_deployment", {
    service_deployment_arn = arn or ecs.record(world).service_deployment_arn, stop_type = "ROLLBACK",
  }, t.caller)
end

-- ---- looking -------------------------------------------------------------------------------------

--- Production of target and source, then tests of target and source.
function ecs.shares(record)
  local source, target = record.source_service_revisions[1], record.target_service_revision
  return { target.requested_production_traffic_weight, source.requested_production_traffic_weight,
    target.requested_test_traffic_weight, source.requested_test_traffic_weight }
end

--- The states of a group's targets, in order.
function ecs.targets(world, group)
  local states = {}
  for _, item in ipairs(t.call(world, "elbv2", "describe_target_health",
    { target_group_arn = group }).target_health_descriptions) do
    states[#states + 1] = item.target_health.state
  end
  table.sort(states)
  return states
end

--- Whether an event of the service holds this text.
function ecs.holds_event(world, text)
  for _, event in ipairs(ecs.service(world).events) do
    if event.message:find(text, 1, true) then
      return true
    end
  end
  return false
end

--- What the service's balancer answers a customer: the status.
function ecs.ask(world)
  local host = t.call(world, "elbv2", "describe_load_balancers", {}).load_balancers[1].dns_name
  return require("sim.elbv2").http(world, { host = host, path = "/", method = "GET", headers = {} }).status
end

return ecs
