--- Operations on alarms that watch one metric.

local evaluate = require "sim.cloudwatch.evaluate"
local facts = require "sim.facts.cloudwatch"
local history = require "sim.cloudwatch.history"
local json = require "sim.json"
local metrics = require "sim.cloudwatch.metrics"
local util = require "sim.util"

local alarms, operations = {}, {}

-- ---- making --------------------------------------------------------------------------------------

local function refuse(world, key, ...)
  world:fail("ValidationError", facts.texts[key]:format(...))
end

-- An alarm given as a list of queries is taken when the list is one metric.
local function flatten(world, input)
  local query = input.metrics and input.metrics[1]
  if input.evaluation_criteria or input.threshold_metric_id or input.metrics and #input.metrics > 1
    or query and not query.metric_stat then
    refuse(world, "alarm_metrics")
  elseif not query then
    return input
  end
  local flat, stat = util.copy(input), query.metric_stat
  flat.namespace, flat.metric_name = stat.metric.namespace, stat.metric.metric_name
  flat.dimensions, flat.period, flat.unit = stat.metric.dimensions, stat.period, stat.unit
  flat[stat.stat:find("^p%d") and "extended_statistic" or "statistic"] = stat.stat
  return flat
end

local function check_watching(world, input)
  if not (input.metric_name and input.namespace and input.period and input.evaluation_periods) then
    refuse(world, "alarm_name")
  elseif (input.statistic ~= nil) == (input.extended_statistic ~= nil) then
    refuse(world, "alarm_statistic")
  elseif not metrics.is_statistic(input.statistic or input.extended_statistic) then
    refuse(world, "statistic", input.statistic or input.extended_statistic)
  elseif input.period % 60 ~= 0 and not util.holds({ 10, 20, 30 }, input.period) or input.period < 1 then
    refuse(world, "alarm_period")
  elseif input.period * input.evaluation_periods > math.max(86400, input.period) then
    refuse(world, "alarm_range")
  end
end

local function check_deciding(world, input)
  local treat = input.treat_missing_data or "missing"
  if not facts.operators[input.comparison_operator] then
    refuse(world, "alarm_operator", tostring(input.comparison_operator))
  elseif not input.threshold then
    refuse(world, "alarm_threshold")
  elseif (input.datapoints_to_alarm or 1) > input.evaluation_periods then
    refuse(world, "alarm_datapoints")
  elseif not util.holds({ "breaching", "notBreaching", "ignore", "missing" }, treat) then
    refuse(world, "alarm_missing_data", treat)
  end
end

local copied = {
  "namespace", "metric_name", "period", "unit", "statistic", "extended_statistic", "evaluation_periods",
  "comparison_operator", "alarm_description", "ok_actions", "alarm_actions", "insufficient_data_actions",
  "evaluate_low_sample_count_percentile",
}

local function alarm_of(world, input, known)
  local alarm = {
    name = input.alarm_name, dimensions = util.copy(input.dimensions or {}), threshold = input.threshold + 0.0,
    datapoints_to_alarm = input.datapoints_to_alarm or input.evaluation_periods,
    said_datapoints = input.datapoints_to_alarm, treat_missing_data = input.treat_missing_data or "missing",
    said_treat = input.treat_missing_data, actions_enabled = input.actions_enabled ~= false,
    configured = world:now(), state = "INSUFFICIENT_DATA", reason = facts.texts.unchecked, updated = world:now(),
    transitioned = world:now(), tags = known and known.tags or {},
  }
  for _, name in ipairs(copied) do
    alarm[name] = util.copy(input[name])
  end
  if known then -- a changed alarm keeps its state until it is looked at again
    for _, name in ipairs { "state", "reason", "reason_data", "updated", "transitioned" } do
      alarm[name] = known[name]
    end
  end
  return alarm
end

local function configuration_text(alarm)
  return json.ordered {
    { "version", "1.0" }, { "alarmName", alarm.name }, { "metricName", alarm.metric_name },
    { "namespace", alarm.namespace }, { "period", alarm.period }, { "threshold", json.as_double(alarm.threshold) },
    { "comparisonOperator", alarm.comparison_operator }, { "evaluationPeriods", alarm.evaluation_periods },
  }.json_text
end

--- Makes or changes an alarm; `input` as for PutMetricAlarm.
function alarms.put(world, input)
  local flat = flatten(world, input)
  check_watching(world, flat)
  check_deciding(world, flat)
  local all = world:state("cloudwatch").alarms
  local known = all[flat.alarm_name]
  local alarm = alarm_of(world, flat, known)
  for _, tag in ipairs(not known and flat.tags or {}) do
    alarm.tags[tag.key] = tag.value
  end
  all[alarm.name] = alarm
  local text = known and facts.texts.history_updated or facts.texts.history_created
  history.note(world, alarm.name, "ConfigurationUpdate", text:format(alarm.name), configuration_text(alarm))
end

function operations.put_metric_alarm(world, input)
  alarms.put(world, input)
end

--- Takes an alarm away; nothing happens when there is none.
function alarms.delete(world, name)
  local all = world:state("cloudwatch").alarms
  if all[name] then
    local text = facts.texts.history_deleted:format(name)
    history.note(world, name, "ConfigurationUpdate", text, configuration_text(all[name]))
    all[name] = nil
  end
end

function operations.delete_alarms(world, input)
  for _, name in ipairs(input.alarm_names) do
    alarms.delete(world, name)
  end
end

-- ---- describing ----------------------------------------------------------------------------------

--- The ARN of an alarm.
function alarms.arn(world, name)
  return world:arn("cloudwatch", "alarm:" .. name)
end

local function shown(world, alarm)
  local out = {
    alarm_name = alarm.name, alarm_arn = alarms.arn(world, alarm.name), actions_enabled = alarm.actions_enabled,
    alarm_configuration_updated_timestamp = alarm.configured, state_value = alarm.state,
    state_reason = alarm.reason, state_reason_data = alarm.reason_data, state_updated_timestamp = alarm.updated,
    state_transitioned_timestamp = alarm.transitioned, dimensions = util.copy(alarm.dimensions),
    datapoints_to_alarm = alarm.said_datapoints, threshold = alarm.threshold, treat_missing_data = alarm.said_treat,
    metrics = util.copy(alarm.queries), -- of a recorded alarm; one that is made here watches one metric
  }
  for _, name in ipairs(copied) do
    out[name] = util.copy(alarm[name])
  end
  for _, name in ipairs { "ok_actions", "alarm_actions", "insufficient_data_actions" } do
    out[name] = out[name] or {}
  end
  return out
end

local function begins(text, prefix)
  return not prefix or text:sub(1, #prefix) == prefix
end

local function acts_like(alarm, prefix)
  for _, list in ipairs { alarm.ok_actions or {}, alarm.alarm_actions or {}, alarm.insufficient_data_actions or {} } do
    for _, action in ipairs(list) do
      if begins(action, prefix) then
        return true
      end
    end
  end
  return not prefix
end

local function is_wanted(alarm, input)
  return (not input.alarm_names or not input.alarm_names[1] or util.holds(input.alarm_names, alarm.name))
    and begins(alarm.name, input.alarm_name_prefix)
    and (not input.state_value or alarm.state == input.state_value)
    and acts_like(alarm, input.action_prefix)
end

-- Alarms that a scenario holds are seen so at once.
local function each_alarm(world)
  for _, alarm in util.sorted_pairs(world:state("cloudwatch").alarms) do
    if evaluate.held(world, alarm.name) then
      evaluate.alarm(world, alarm)
    end
  end
  return util.sorted_pairs(world:state("cloudwatch").alarms)
end

function operations.describe_alarms(world, input)
  local list = {}
  local types = input.alarm_types
  for _, alarm in each_alarm(world) do
    if (not types or not types[1] or util.holds(types, "MetricAlarm")) and is_wanted(alarm, input) then
      list[#list + 1] = shown(world, alarm)
    end
  end
  local page, token = world:page(list, input.next_token, input.max_records or facts.limits.alarms, "InvalidNextToken")
  return { metric_alarms = page, composite_alarms = {}, next_token = token }
end

local function same_dimensions(a, b)
  local left, right = {}, {}
  for _, dimension in ipairs(a or {}) do
    left[dimension.name] = dimension.value
  end
  for _, dimension in ipairs(b or {}) do
    right[dimension.name] = dimension.value
  end
  return util.equal(left, right)
end

function operations.describe_alarms_for_metric(world, input)
  local list = {}
  for _, alarm in each_alarm(world) do
    if alarm.metric_name == input.metric_name and alarm.namespace == input.namespace
      and same_dimensions(alarm.dimensions, input.dimensions)
      and (not input.statistic or alarm.statistic == input.statistic)
      and (not input.extended_statistic or alarm.extended_statistic == input.extended_statistic)
      and (not input.period or alarm.period == input.period) and (not input.unit or alarm.unit == input.unit) then
      list[#list + 1] = shown(world, alarm)
    end
  end
  return { metric_alarms = list }
end

-- ---- changing ------------------------------------------------------------------------------------

local function required(world, name)
  local alarm = world:state("cloudwatch").alarms[name]
  if not alarm then
    world:fail("ResourceNotFound", facts.texts.alarm_missing:format(name), { status = 404 })
  end
  return alarm
end

local function set_actions(world, names, enabled)
  for _, name in ipairs(names) do
    local alarm = world:state("cloudwatch").alarms[name]
    if alarm then
      alarm.actions_enabled = enabled
    end
  end
end

function operations.enable_alarm_actions(world, input)
  set_actions(world, input.alarm_names, true)
end

function operations.disable_alarm_actions(world, input)
  set_actions(world, input.alarm_names, false)
end

function operations.set_alarm_state(world, input)
  local alarm = required(world, input.alarm_name)
  if not util.holds({ "OK", "ALARM", "INSUFFICIENT_DATA" }, input.state_value) then
    refuse(world, "state_value", input.state_value)
  elseif input.state_reason_data and not json.decode(input.state_reason_data) then
    world:fail("InvalidFormat", facts.texts.state_data)
  end
  evaluate.set(world, alarm, input.state_value, input.state_reason, input.state_reason_data)
end

-- ---- tags ----------------------------------------------------------------------------------------

local function by_arn(world, arn)
  local alarm = world:state("cloudwatch").alarms[arn:match(":alarm:(.+)$") or arn]
  if not alarm then
    world:fail("ResourceNotFoundException", "Unknown", { status = 404 })
  end
  return alarm
end

function operations.tag_resource(world, input)
  local alarm = by_arn(world, input.resource_arn)
  for _, tag in ipairs(input.tags) do
    alarm.tags[tag.key] = tag.value
  end
end

function operations.untag_resource(world, input)
  local alarm = by_arn(world, input.resource_arn)
  for _, key in ipairs(input.tag_keys) do
    alarm.tags[key] = nil
  end
end

function operations.list_tags_for_resource(world, input)
  local tags = {}
  for key, value in util.sorted_pairs(by_arn(world, input.resource_arn).tags) do
    tags[#tags + 1] = { key = key, value = value }
  end
  return { tags = tags }
end

alarms.operations = operations
return alarms
