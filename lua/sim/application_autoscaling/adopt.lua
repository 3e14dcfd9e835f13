--- Takes recorded scalable targets, target tracking policies and scheduled actions over. What the simulator
-- cannot play (step and predictive policies, cron) is left out, and given back by name.

local policies = require "sim.application_autoscaling.policies"
local schedule = require "sim.application_autoscaling.schedule"
local util = require "sim.util"

local function add_target(world, shown)
  world:state("application_autoscaling").targets[shown.resource_id] = {
    resource = shown.resource_id, created = shown.creation_time, role = shown.role_arn,
    arn = shown.scalable_target_arn, suspended = util.copy(shown.suspended_state or {}), tags = {},
    low = shown.min_capacity, high = shown.max_capacity,
  }
end

-- The names of a policy's two alarms; one that scales out only has none for less.
local function alarm_named(shown, part)
  for _, alarm in ipairs(shown.alarms or {}) do
    if alarm.alarm_name:find(part, 1, true) then
      return alarm.alarm_name
    end
  end
  return ("TargetTracking-%s-%s"):format(shown.resource_id, part)
end

local function add_policy(world, shown)
  local config = shown.target_tracking_scaling_policy_configuration
  if shown.policy_type ~= "TargetTrackingScaling" or not config then
    return false
  end
  local known, metric = pcall(policies.metric_of, world, shown.resource_id, config)
  if not known and not (type(metric) == "table" and metric.sim_failure) then
    error(metric, 0)
  elseif not known then
    return false
  end
  local list = world:state("application_autoscaling").policies
  list[#list + 1] = {
    resource = shown.resource_id, name = shown.policy_name, arn = shown.policy_arn, created = shown.creation_time,
    config = util.copy(config), metric = metric, high = alarm_named(shown, "AlarmHigh"),
    low = alarm_named(shown, "AlarmLow"),
  }
  return true
end

local function add_action(world, shown)
  if not schedule.is_known(shown.schedule, shown.timezone) then
    return false
  end
  local list = world:state("application_autoscaling").scheduled
  list[#list + 1] = {
    resource = shown.resource_id, name = shown.scheduled_action_name, schedule = shown.schedule,
    timezone = shown.timezone, first = shown.start_time, last = shown.end_time,
    change = util.copy(shown.scalable_target_action), created = shown.creation_time,
    id = (shown.scheduled_action_arn or ""):match(":scheduledAction:([^:]+):") or world:uuid(), seen = world:now(),
  }
  return true
end

--- Makes `recorded` part of the world: {scalable_targets, scaling_policies, scheduled_actions}. Gives a list of
-- texts that name what was left out.
return function(world, recorded)
  local left_out = {}
  for _, shown in ipairs(recorded.scalable_targets or {}) do
    add_target(world, shown)
  end
  for _, shown in ipairs(recorded.scaling_policies or {}) do
    if not add_policy(world, shown) then
      left_out[#left_out + 1] = ("scaling policy %s (%s)"):format(shown.policy_name, tostring(shown.policy_type))
    end
  end
  for _, shown in ipairs(recorded.scheduled_actions or {}) do
    if not add_action(world, shown) then
      left_out[#left_out + 1] = ("scheduled action %s (%s)"):format(shown.scheduled_action_name, shown.schedule)
    end
  end
  return left_out
end
