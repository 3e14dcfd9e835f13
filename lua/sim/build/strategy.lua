--- What a scenario says of how a service is deployed: the strategy, its times and hooks; and the second half of its
-- load balancer, to which a new revision goes first.

local arguments = require "sim.arguments"

local strategy = {}

local test_port = 8080

local hook_fields = arguments.set "stage stages pause name timeout on_timeout"
local step_fields = arguments.set "percent bake"

-- ---- checks --------------------------------------------------------------------------------------

local function whole_minutes(what, args, name)
  local seconds = arguments.seconds(what, args, name)
  if seconds and seconds % 60 ~= 0 then
    error(("%s: '%s' is in whole minutes, such as \"5m\""):format(what, name), 0)
  end
  return seconds and seconds // 60
end

local function refuse_bad_hook(hook)
  arguments.check("service.hooks", hook, hook_fields)
  whole_minutes("service.hooks", hook, "timeout")
  if not hook.stage and not hook.stages then
    error("service.hooks: each needs the field 'stage', such as \"POST_TEST_TRAFFIC_SHIFT\"", 0)
  elseif not hook.pause and not hook.name then
    error("service.hooks: each needs 'pause = true', or the 'name' of its function", 0)
  end
end

--- Refuses what does not go together, before anything is made.
function strategy.check(args)
  arguments.types("service", args, "string", "strategy controller")
  arguments.types("service", args, "table", "steps hooks history")
  local has_stages = args.strategy ~= nil and args.strategy ~= "ROLLING"
  if args.steps and args.strategy ~= "LINEAR" and args.strategy ~= "CANARY" then
    error("service: 'steps' goes with the strategy LINEAR or CANARY", 0)
  elseif args.hooks and not has_stages then
    error("service: 'hooks' go with the strategy BLUE_GREEN, LINEAR or CANARY", 0)
  elseif args.controller and args.controller ~= "CODE_DEPLOY" and args.controller ~= "EXTERNAL" then
    error("service: 'controller' is \"CODE_DEPLOY\" or \"EXTERNAL\"; without it ECS deploys", 0)
  elseif args.controller and has_stages then
    error("service: a service with another controller has no 'strategy'", 0)
  end
  for _, hook in ipairs(args.hooks or {}) do
    refuse_bad_hook(hook)
  end
  arguments.check("service.steps", args.steps, step_fields)
  whole_minutes("service.steps", args.steps or {}, "bake")
  whole_minutes("service", args, "bake")
end

-- ---- the deployment configuration ----------------------------------------------------------------

local function hook_of(world, hook)
  local minutes = whole_minutes("service.hooks", hook, "timeout")
  local out = {
    target_type = hook.pause and "PAUSE" or "AWS_LAMBDA", lifecycle_stages = hook.stages or { hook.stage },
    hook_target_arn = not hook.pause and world:arn("lambda", "function:" .. hook.name) or nil,
  }
  if minutes or hook.on_timeout then
    out.timeout_configuration = { timeout_in_minutes = minutes, action = hook.on_timeout }
  end
  return out
end

local function steps_of(args)
  local steps = args.steps or {}
  local minutes = whole_minutes("service.steps", steps, "bake")
  if args.strategy == "LINEAR" then
    return { step_percent = steps.percent, step_bake_time_in_minutes = minutes }
  end
  return { canary_percent = steps.percent, canary_bake_time_in_minutes = minutes }
end

--- Adds the strategy to a deployment configuration, for a service that is being made: without its hooks and
-- bake time, which would hold back what the scenario takes for past.
function strategy.begin(args, configuration)
  configuration.strategy = args.strategy
  if args.strategy == "LINEAR" or args.strategy == "CANARY" then
    local name = args.strategy == "LINEAR" and "linear_configuration" or "canary_configuration"
    configuration[name] = steps_of(args)
  end
  return configuration
end

--- What is added when the service stands: nil when there is nothing.
function strategy.rest(world, args)
  local minutes = whole_minutes("service", args, "bake")
  if not args.hooks and not minutes then
    return nil
  end
  local hooks = {}
  for index, hook in ipairs(args.hooks or {}) do
    hooks[index] = hook_of(world, hook)
  end
  return { bake_time_in_minutes = minutes, lifecycle_hooks = #hooks > 0 and hooks or nil }
end

-- ---- the load balancer ---------------------------------------------------------------------------

local function add_rule(world, call, listener, first, second)
  return call(world, "elbv2", "create_rule", {
    listener_arn = listener, priority = 1, conditions = { { field = "path-pattern", values = { "/*" } } },
    actions = { { type = "forward", forward_config = { target_groups = {
      { target_group_arn = first, weight = 1 }, { target_group_arn = second, weight = 0 },
    } } } },
  }).rules[1].rule_arn
end

--- Completes a service's load balancer for traffic that shifts. `front`: {group, balancer, listener}; `group`
-- makes the alternate target group. Gives the advanced configuration, or nil for a service that does not shift.
function strategy.front(world, call, args, front, group)
  if not args.strategy or args.strategy == "ROLLING" then
    return nil
  end
  local alternate = group(args.name .. "-green")
  local tests = call(world, "elbv2", "create_listener", {
    load_balancer_arn = front.balancer.load_balancer_arn, protocol = "HTTP", port = test_port,
    default_actions = { { type = "forward", target_group_arn = front.group } },
  }).listeners[1].listener_arn
  local role = call(world, "iam", "create_role", {
    role_name = args.name .. "-infrastructure",
    assume_role_policy_document = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":'
      .. '"ecs.amazonaws.com"},"Action":"sts:AssumeRole"}]}',
  }).role
  return {
    alternate_target_group_arn = alternate, role_arn = role.arn,
    production_listener_rule = add_rule(world, call, front.listener, front.group, alternate),
    test_listener_rule = add_rule(world, call, tests, front.group, alternate),
  }
end

return strategy
