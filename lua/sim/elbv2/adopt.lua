--- Takes recorded load balancers, listeners, rules and target groups over, with their targets as healthy as
-- they were.

local facts = require "sim.facts.elbv2"
local store = require "sim.elbv2.store"
local util = require "sim.util"

-- {key, value} lists as the maps that are kept; what was not read is as for a new one.
local function attributes_of(list, defaults)
  local out = util.copy(defaults)
  for _, pair in ipairs(list or {}) do
    out[pair.key] = pair.value or ""
  end
  return out
end

local function tags_of(recorded, arn)
  for _, found in ipairs(recorded.tags or {}) do
    if found.resource_arn == arn then
      return store.tags_of(found.tags)
    end
  end
  return {}
end

local function add_balancers(state, recorded)
  local attributes = recorded.load_balancer_attributes or {}
  for _, shown in ipairs(recorded.load_balancers or {}) do
    local arn = shown.load_balancer_arn
    state.balancers[#state.balancers + 1] = {
      arn = arn, name = shown.load_balancer_name, description = util.copy(shown), seen = {},
      attributes = attributes_of(attributes[arn], facts.balancer_attributes), tags = tags_of(recorded, arn),
    }
  end
end

local function add_rules(state, listener, list)
  for _, shown in ipairs(list or {}) do
    state.rules[#state.rules + 1] = {
      arn = shown.rule_arn, listener = listener.listener_arn, balancer = listener.load_balancer_arn, tags = {},
      description = util.copy(shown),
    }
  end
end

-- A listener whose rules could not be read has the one that each has.
local function default_rule(world, listener)
  return { {
    rule_arn = listener.listener_arn:gsub(":listener/", ":listener-rule/") .. "/" .. world:id(16),
    priority = "default", conditions = {}, actions = util.copy(listener.default_actions), is_default = true,
  } }
end

local function add_listeners(world, state, recorded)
  local rules = recorded.rules or {}
  for _, shown in ipairs(recorded.listeners or {}) do
    state.listeners[#state.listeners + 1] = {
      arn = shown.listener_arn, balancer = shown.load_balancer_arn, tags = {}, description = util.copy(shown),
    }
    add_rules(state, shown, rules[shown.listener_arn] or default_rule(world, shown))
  end
end

-- ---- targets -------------------------------------------------------------------------------------

local problems = {
  ["Target.ResponseCodeMismatch"] = "mismatch", ["Target.Timeout"] = "timeout",
  ["Target.FailedHealthChecks"] = "failed",
}

-- Plans what comes next for a target: its first check, or the end of its draining.
local function go_on(world, entry, target)
  local args = { group = entry.arn, key = target.key }
  if target.state == "initial" then
    target.pending = world:after(facts.durations.first_check, "elbv2.check", args)
  elseif target.state == "draining" then
    local delay = tonumber(entry.attributes["deregistration_delay.timeout_seconds"]) or 0
    target.gone = world:after(delay, "elbv2.gone", args)
  end
end

local function add_target(world, entry, shown)
  local said, health = shown.target, shown.target_health or {}
  local port = said.port or entry.description.port
  local problem = health.state == "unhealthy" and (problems[health.reason or ""] or "failed") or nil
  local target = {
    key = ("%s:%d"):format(said.id, port), id = said.id, port = port, zone = said.availability_zone,
    state = health.state or "initial", problem = problem, status = (health.description or ""):match("%[(%d+)%]"),
    passes = 0, fails = problem and entry.description.unhealthy_threshold_count or 0,
    registered_at = world:now() - (health.reason == "Elb.RegistrationInProgress" and 0 or facts.durations.registering),
    checked_at = world:now(),
  }
  target.status = tonumber(target.status)
  entry.targets[target.key] = target
  go_on(world, entry, target)
end

local function add_groups(world, state, recorded)
  local attributes, health = recorded.target_group_attributes or {}, recorded.target_health or {}
  for _, shown in ipairs(recorded.target_groups or {}) do
    local entry = {
      arn = shown.target_group_arn, name = shown.target_group_name, description = util.copy(shown), targets = {},
      attributes = attributes_of(attributes[shown.target_group_arn], facts.group_attributes),
      tags = tags_of(recorded, shown.target_group_arn),
    }
    entry.description.load_balancer_arns = nil -- follows from the listeners
    state.groups[#state.groups + 1] = entry
    for _, found in ipairs(health[entry.arn] or {}) do
      add_target(world, entry, found)
    end
  end
end

--- Makes `recorded` part of the world: {target_groups, target_group_attributes and target_health by ARN,
-- load_balancers, load_balancer_attributes by ARN, listeners, rules by listener, tags}.
return function(world, recorded)
  local state = world:state("elbv2")
  add_balancers(state, recorded)
  add_listeners(world, state, recorded)
  add_groups(world, state, recorded)
end
