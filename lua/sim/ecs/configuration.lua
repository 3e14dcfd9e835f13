--- The deployment configuration of a service: what holds when nothing is said, and what may be said.
--
-- Strategies other than ROLLING go through lifecycle stages (sim.ecs.stages), and need load balancers that say
-- between which target groups, by which listener rules, traffic moves. Hooks of a ROLLING service are kept and
-- shown, and never asked.

local texts = require "sim.facts.texts"
local util = require "sim.util"

local configuration = {}

local strategies = { "ROLLING", "BLUE_GREEN", "LINEAR", "CANARY" }

-- S D
local defaults = {
  maximum_percent = 200, minimum_healthy_percent = 100, strategy = "ROLLING", bake_time_in_minutes = 0,
}
local longest_minutes, longest_hook_minutes = 1440, 20160 -- D

-- The members that one strategy alone has, and their defaults. D
local of_strategy = {
  linear_configuration = {
    name = "linearConfiguration", strategy = "LINEAR", percent = "step_percent", lowest = 3,
    minutes = "step_bake_time_in_minutes",
    defaults = { step_percent = 10, step_bake_time_in_minutes = 6 },
  },
  canary_configuration = {
    name = "canaryConfiguration", strategy = "CANARY", percent = "canary_percent", lowest = 0.1,
    minutes = "canary_bake_time_in_minutes",
    defaults = { canary_percent = 5, canary_bake_time_in_minutes = 10 },
  },
}

--- Whether deployments go through lifecycle stages.
function configuration.staged(deployment_configuration)
  return deployment_configuration.strategy ~= "ROLLING"
end

-- ---- checks --------------------------------------------------------------------------------------

--- Refuses a value that is not one of the choices.
function configuration.check_choice(world, name, value, choices)
  if value ~= nil and not util.holds(choices, value) then
    texts.fail(world, "choice", { value = tostring(value), name = name })
  end
end

local function check_range(world, name, value, low, high)
  if value < low or value > high then
    texts.fail(world, "percent_range", { name = name, low = tostring(low), high = tostring(high) })
  end
end

local threshold_types = { "BOUNDED_PERCENT", "UNBOUNDED_PERCENT", "COUNT" }

local function check_breaker(world, breaker)
  local rule = breaker and breaker.threshold_configuration
  if not rule then
    return
  end
  configuration.check_choice(world, "type", rule.type, threshold_types)
  local highest = rule.type == "COUNT" and 2147483647 or 100
  if rule.value < 1 or rule.value > highest then
    texts.fail(world, "threshold")
  end
end

local function check_bounds(world, out)
  local low, high = out.minimum_healthy_percent, out.maximum_percent
  check_range(world, "minimumHealthyPercent", low, 0, 100)
  check_range(world, "maximumPercent", high, 100, 2147483647)
  if low == 100 and high == 100 and not configuration.staged(out) then
    texts.fail(world, "percent_blocked")
  end
  check_range(world, "bakeTimeInMinutes", out.bake_time_in_minutes, 0, longest_minutes)
end

local function check_steps(world, name, steps, rule)
  local percent = steps[rule.percent]
  check_range(world, name .. " percent", percent, rule.lowest, 100)
  if math.abs(percent * 10 - math.floor(percent * 10 + 0.5)) > 1e-6 then
    texts.fail(world, "percent_steps", { name = name })
  end
  check_range(world, name .. " bake time", steps[rule.minutes], 0, longest_minutes)
end

-- ---- lifecycle hooks -----------------------------------------------------------------------------

local hook_stages = { -- S
  "RECONCILE_SERVICE", "PRE_SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT",
  "PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT",
}
local unpausable = { TEST_TRAFFIC_SHIFT = true, PRODUCTION_TRAFFIC_SHIFT = true } -- D

local function check_timeout(world, timeout)
  if timeout then
    check_range(world, "timeoutInMinutes", timeout.timeout_in_minutes or 1, 1, longest_hook_minutes)
    configuration.check_choice(world, "action", timeout.action, { "CONTINUE", "ROLLBACK" })
  end
end

local function check_hook(world, hook)
  hook.target_type = hook.target_type or "AWS_LAMBDA"
  if hook.target_type ~= "AWS_LAMBDA" and hook.target_type ~= "PAUSE" then
    texts.fail(world, "hook_type")
  elseif hook.target_type == "AWS_LAMBDA" and not hook.hook_target_arn then
    texts.fail(world, "hook_target")
  elseif #(hook.lifecycle_stages or {}) == 0 then
    texts.fail(world, "hook_stages")
  end
  for _, stage in ipairs(hook.lifecycle_stages) do
    configuration.check_choice(world, "lifecycleStages", stage, hook_stages)
    if hook.target_type == "PAUSE" and unpausable[stage] then
      texts.fail(world, "hook_pause_stage")
    end
  end
  check_timeout(world, hook.timeout_configuration)
end

-- ---- laying one over another ---------------------------------------------------------------------

-- Fills in what belongs to the strategy, and takes away what belongs to another one.
local function settle_steps(world, out, given)
  for name, rule in util.sorted_pairs(of_strategy) do
    if out.strategy ~= rule.strategy then
      if given[name] then
        texts.fail(world, "steps_of_other", { name = rule.name, strategy = rule.strategy })
      end
      out[name] = nil
    else
      local steps = util.copy(rule.defaults)
      for member, value in util.sorted_pairs(out[name] or {}) do
        steps[member] = value
      end
      out[name] = steps
      check_steps(world, rule.strategy, steps, rule)
    end
  end
end

--- The configuration that holds after `given` is laid over `before` (nil for a new service). What is wrong
-- with it ends the operation.
function configuration.merge(world, given, before)
  given = given or {}
  local out = util.copy(before or defaults)
  for name, value in util.sorted_pairs(given) do
    out[name] = util.copy(value)
  end
  out.deployment_circuit_breaker = out.deployment_circuit_breaker or { enable = false, rollback = false }
  configuration.check_choice(world, "strategy", out.strategy, strategies)
  settle_steps(world, out, given)
  for _, hook in ipairs(out.lifecycle_hooks or {}) do
    check_hook(world, hook)
  end
  check_bounds(world, out)
  check_breaker(world, out.deployment_circuit_breaker)
  return out
end

-- ---- load balancers ------------------------------------------------------------------------------

local rule_members = {
  { member = "production_listener_rule", name = "productionListenerRule" },
  { member = "test_listener_rule", name = "testListenerRule" },
}

local function check_rules(world, advanced)
  for _, item in ipairs(rule_members) do
    local arn = advanced[item.member]
    if arn and not arn:find(":listener-rule/", 1, true) then
      texts.fail(world, "rule_arn", { name = item.name, arn = arn })
    end
  end
  if not advanced.production_listener_rule then
    texts.fail(world, "rule_missing")
  elseif advanced.production_listener_rule == advanced.test_listener_rule then
    texts.fail(world, "rule_twice", { arn = advanced.test_listener_rule })
  end
end

-- Without a rule for tests, the production rule must know both groups: nothing else would check the new one.
local function check_association(world, balancer)
  local advanced = balancer.advanced_configuration
  local groups = require("sim.elbv2").forwards(world, advanced.production_listener_rule)
  local known = {}
  for _, group in ipairs(groups or {}) do
    known[group.target_group_arn] = true
  end
  local both = known[balancer.target_group_arn] and known[advanced.alternate_target_group_arn]
  if groups and not advanced.test_listener_rule and not both then
    texts.fail(world, "rule_for_tests")
  end
end

local function check_groups(world, balancer, seen)
  local advanced = balancer.advanced_configuration
  local alternate = advanced.alternate_target_group_arn
  for _, arn in ipairs { balancer.target_group_arn, alternate or false } do
    if arn and seen[arn] then
      texts.fail(world, "group_twice", { arn = arn })
    end
    seen[arn] = true
  end
  if not alternate or not require("sim.elbv2").group(world, alternate) then
    texts.fail(world, "group_missing", { arn = tostring(alternate) })
  end
end

--- Refuses load balancers that do not fit the strategy.
function configuration.check_balancers(world, out, balancers)
  local advanced, seen = 0, {}
  for _, balancer in ipairs(balancers or {}) do
    advanced = advanced + (balancer.advanced_configuration and 1 or 0)
  end
  if advanced > 0 and advanced < #balancers then
    texts.fail(world, "advanced_mixed")
  elseif configuration.staged(out) and advanced < #(balancers or {}) then
    texts.fail(world, "advanced_missing")
  end
  for _, balancer in ipairs(advanced > 0 and balancers or {}) do
    check_rules(world, balancer.advanced_configuration)
    check_groups(world, balancer, seen)
    check_association(world, balancer)
  end
end

return configuration
