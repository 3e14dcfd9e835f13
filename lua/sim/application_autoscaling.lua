--- Application Auto Scaling for ECS services: targets, target tracking policies, scheduled actions, and the
-- scaling itself, each minute after the alarms.

local activities = require "sim.application_autoscaling.activities"
local facts = require "sim.facts.application_autoscaling"
local policies = require "sim.application_autoscaling.policies"
local store = require "sim.application_autoscaling.store"
local targets = require "sim.application_autoscaling.targets"
local util = require "sim.util"

local scaling = { operations = {}, handlers = {} }

for _, part in ipairs { activities, policies, targets } do
  for name, operation in util.sorted_pairs(part.operations) do
    scaling.operations[name] = operation
  end
  for name, handler in util.sorted_pairs(part.handlers or {}) do
    scaling.handlers[name] = handler
  end
end

function scaling.init(_, state)
  state.targets = {}
  state.policies, state.activities, state.scheduled = {}, {}, {}
end

-- ---- the minute ----------------------------------------------------------------------------------

local function is_firing(world, name)
  return require("sim.cloudwatch").alarm_state(world, name) == "ALARM"
end

local function cooled(world, at, seconds)
  return not at or world:now() - at >= (seconds or facts.durations.cooldown)
end

-- The policy that wants the most tasks of those whose alarm for more fires, and how many.
local function most_wanted(world, list, current)
  local count, chosen
  for _, policy in ipairs(list) do
    if is_firing(world, policy.high) then
      local wanted = math.max(policies.wanted(world, policy, current) or current + 1, current + 1)
      if not count or wanted > count then
        count, chosen = wanted, policy
      end
    end
  end
  return count, chosen
end

local function cause(policy, alarm)
  return facts.texts.cause_alarm:format(alarm, policy.name)
end

local function scale_out(world, target, current, count, policy)
  local why = cause(policy, policy.high)
  if current >= target.high then
    activities.not_scaled(world, target, why,
      { code = "AlreadyAtMaxCapacity", max_capacity = target.high, current_capacity = current })
  elseif not target.suspended.dynamic_scaling_out_suspended
    and cooled(world, target.scaled_out, policy.config.scale_out_cooldown) then
    target.scaled_out, target.not_scaled = world:now(), nil
    activities.set(world, target.resource, math.max(math.min(count, target.high), target.low), why)
  end
end

-- All policies must agree to fewer tasks; the one that wants the most of them decides.
local function least_agreed(world, list, current)
  local count, chosen
  for _, policy in ipairs(list) do
    if policy.config.disable_scale_in or not is_firing(world, policy.low) then
      return nil
    end
    local wanted = policies.wanted(world, policy, current)
    if wanted and (not count or wanted > count) then
      count, chosen = wanted, policy
    end
  end
  return count, chosen
end

local function scale_in(world, target, current, count, policy)
  local why, last = cause(policy, policy.low), math.max(target.scaled_in or 0, target.scaled_out or 0)
  count = math.max(count, target.low)
  if current <= target.low then
    activities.not_scaled(world, target, why,
      { code = "AlreadyAtMinCapacity", min_capacity = target.low, current_capacity = current })
  elseif count < current and not target.suspended.dynamic_scaling_in_suspended
    and cooled(world, last > 0 and last or nil, policy.config.scale_in_cooldown) then
    target.scaled_in, target.not_scaled = world:now(), nil
    activities.set(world, target.resource, count, why)
  end
end

-- Scaling in rests while ECS deploys; scaling out does not.
local function look_at(world, target)
  local service, list = store.service(world, target.resource), policies.of(world, target.resource)
  if not service or service.desired == 0 or #list == 0 then
    return
  end
  local current = service.desired
  local count, policy = most_wanted(world, list, current)
  if policy then
    scale_out(world, target, current, count, policy)
  elseif not require("sim.ecs").deploying(world, service.cluster, service.service) then
    count, policy = least_agreed(world, list, current)
    if policy then
      scale_in(world, target, current, count, policy)
    end
  end
end

--- Acts once; returns how many targets there are.
function scaling.minute(world)
  local count = 0
  targets.scheduled(world)
  for _, target in util.sorted_pairs(world:state("application_autoscaling").targets) do
    look_at(world, target)
    count = count + 1
  end
  return count
end

return scaling
