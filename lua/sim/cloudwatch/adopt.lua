--- Takes recorded alarms and dashboards over. The metrics that the simulator measures move the alarms on them;
-- an alarm on anything else stays in the state that it was recorded in, until a scenario says another.

local faults = require "sim.faults"
local util = require "sim.util"

local measured = { ["AWS/ECS"] = true, ["ECS/ContainerInsights"] = true, ["AWS/ApplicationELB"] = true }

local copied = {
  "namespace", "metric_name", "period", "unit", "statistic", "extended_statistic", "evaluation_periods",
  "comparison_operator", "alarm_description", "ok_actions", "alarm_actions", "insufficient_data_actions",
  "evaluate_low_sample_count_percentile",
}

local function alarm_of(world, shown)
  local alarm = {
    name = shown.alarm_name, dimensions = util.copy(shown.dimensions or {}),
    threshold = shown.threshold and shown.threshold + 0.0,
    datapoints_to_alarm = shown.datapoints_to_alarm or shown.evaluation_periods,
    said_datapoints = shown.datapoints_to_alarm, treat_missing_data = shown.treat_missing_data or "missing",
    said_treat = shown.treat_missing_data, actions_enabled = shown.actions_enabled ~= false,
    configured = shown.alarm_configuration_updated_timestamp or world:now(), state = shown.state_value,
    reason = shown.state_reason, reason_data = shown.state_reason_data,
    updated = shown.state_updated_timestamp or world:now(),
    transitioned = shown.state_transitioned_timestamp or shown.state_updated_timestamp or world:now(), tags = {},
    queries = util.copy(shown.metrics),
  }
  for _, name in ipairs(copied) do
    alarm[name] = util.copy(shown[name])
  end
  return alarm
end

--- Makes `recorded` part of the world: {metric_alarms, dashboards = list of {dashboard_name, dashboard_body}}.
return function(world, recorded)
  local state = world:state("cloudwatch")
  for _, shown in ipairs(recorded.metric_alarms or {}) do
    local alarm = alarm_of(world, shown)
    state.alarms[alarm.name] = alarm
    if not measured[alarm.namespace or ""] or not (alarm.statistic or alarm.extended_statistic) then
      faults.set(world, "alarm", alarm.name, alarm.state)
    end
  end
  for _, shown in ipairs(recorded.dashboards or {}) do
    state.dashboards[shown.dashboard_name] = { body = shown.dashboard_body, modified = world:now() }
  end
  require("sim.cloudwatch").wake(world)
end
