--- Where a service's requests go while two of its revisions run: each load balancer has two target groups, and
-- the weights of its listener rules say how much goes to which.
--
-- A deployment has a side: its tasks are targets of the first group, or with `swapped` of the alternate one. Its
-- share of production and of test traffic, in percent, stands in `production` and `test`; for a service without
-- such load balancers the shares only say which revision counts.

local texts = require "sim.facts.texts"
local util = require "sim.util"

local traffic = {}

local rule_of = { production = "production_listener_rule", test = "test_listener_rule" }

-- ---- sides ---------------------------------------------------------------------------------------

--- Whether a service's configuration says how to shift traffic.
function traffic.managed(config)
  local first = (config.load_balancers or {})[1]
  return first ~= nil and first.advanced_configuration ~= nil
end

local function group_of(balancer, swapped)
  local advanced = balancer.advanced_configuration
  return swapped and advanced and advanced.alternate_target_group_arn or balancer.target_group_arn
end

--- The load balancers of a configuration as tasks of one side are registered in them.
function traffic.balancers(config, swapped)
  local out = util.copy(config.load_balancers or {})
  for _, balancer in ipairs(out) do
    balancer.target_group_arn = group_of(balancer, swapped)
  end
  return out
end

--- Which target groups and rules a revision of one side uses, as service revisions show it; nil when the
-- configuration does not shift.
function traffic.resolved(config, swapped)
  if not traffic.managed(config) then
    return nil
  end
  local list = {}
  for index, balancer in ipairs(config.load_balancers) do
    list[index] = {
      target_group_arn = group_of(balancer, swapped),
      production_listener_rule = balancer.advanced_configuration.production_listener_rule,
    }
  end
  return { load_balancers = list }
end

--- Whether one of the service's target groups is this one.
function traffic.uses(config, group_arn)
  for _, balancer in ipairs(config.load_balancers or {}) do
    if balancer.target_group_arn == group_arn or group_of(balancer, true) == group_arn then
      return true
    end
  end
  return false
end

-- ---- shifting ------------------------------------------------------------------------------------

-- The weights of both sides: percent, or tenths of a percent when it takes these.
local function weights_of(service, kind)
  local first, second, factor = 0, 0, 1
  for _, deployment in ipairs(service.deployments) do
    local share = deployment[kind] or 0
    if deployment.swapped then
      second = second + share
    else
      first = first + share
    end
    if math.abs(share - math.floor(share + 0.5)) > 1e-6 then
      factor = 10
    end
  end
  return math.floor(first * factor + 0.5), math.floor(second * factor + 0.5)
end

local function apply(world, service, kind)
  local first, second = weights_of(service, kind)
  for _, balancer in ipairs(service.config.load_balancers or {}) do
    local advanced = balancer.advanced_configuration
    local rule = advanced and advanced[rule_of[kind]]
    if rule and first + second > 0 then
      require("sim.elbv2").weigh(world, rule, {
        { target_group_arn = balancer.target_group_arn, weight = first },
        { target_group_arn = advanced.alternate_target_group_arn, weight = second },
      })
    end
  end
end

--- Sends `percent` of a kind of traffic ("production" or "test") to a deployment, and the rest to `other`; to
-- nobody else anything.
function traffic.send(world, service, kind, deployment, percent, other)
  for _, item in ipairs(service.deployments) do
    item[kind] = 0
  end
  if other then
    other[kind] = 100 - percent
  end
  deployment[kind] = percent
  apply(world, service, kind)
end

--- Whether a service has a listener rule for tests.
function traffic.has_tests(config)
  for _, balancer in ipairs(config.load_balancers or {}) do
    if balancer.advanced_configuration and balancer.advanced_configuration.test_listener_rule then
      return true
    end
  end
  return false
end

-- ---- what can be wrong with the rules ------------------------------------------------------------

-- Groups that a production rule sends something to.
local function serving(groups)
  local out = {}
  for _, group in ipairs(groups) do
    if group.weight > 0 then
      out[#out + 1] = group.target_group_arn
    end
  end
  return out
end

local function knows(groups, arn)
  for _, group in ipairs(groups or {}) do
    if group.target_group_arn == arn then
      return true
    end
  end
  return false
end

local function problem_of(world, balancer)
  local elbv2, advanced, words = require "sim.elbv2", balancer.advanced_configuration, texts.networking
  local production = elbv2.forwards(world, advanced.production_listener_rule)
  local test = advanced.test_listener_rule and elbv2.forwards(world, advanced.test_listener_rule)
  if not production or advanced.test_listener_rule and not test then
    return texts.fill(words.rules, {})
  end
  for _, arn in ipairs { balancer.target_group_arn, advanced.alternate_target_group_arn } do
    if not knows(production, arn) and not knows(test, arn) then
      return texts.fill(words.unassociated, { arn = arn })
    end
  end
  local groups = serving(production)
  if #groups ~= 1 then
    return texts.fill(words.serving, { rule = advanced.production_listener_rule, n = tostring(#groups) })
  elseif groups[1] ~= balancer.target_group_arn and groups[1] ~= advanced.alternate_target_group_arn then
    return texts.fill(words.unexpected, {
      arn = groups[1], first = balancer.target_group_arn, second = advanced.alternate_target_group_arn,
    })
  end
end

--- Why a deployment cannot shift traffic, as the status reason says it; nil when it can.
function traffic.problem(world, service)
  for _, balancer in ipairs(traffic.managed(service.config) and service.config.load_balancers or {}) do
    local found = problem_of(world, balancer)
    if found then
      return found
    end
  end
end

--- Whether all rules that a shift of this kind changes are there.
function traffic.ready(world, service, kind)
  for _, balancer in ipairs(traffic.managed(service.config) and service.config.load_balancers or {}) do
    local rule = balancer.advanced_configuration[rule_of[kind]]
    if rule and not require("sim.elbv2").forwards(world, rule) then
      return false
    end
  end
  return true
end

return traffic
