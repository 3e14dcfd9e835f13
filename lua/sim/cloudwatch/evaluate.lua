--- Evaluating an alarm: M of the last N periods, what is missing treated as asked, and the reason in the
-- service's words.

local dates = require "sim.dates"
local facts = require "sim.facts.cloudwatch"
local history = require "sim.cloudwatch.history"
local json = require "sim.json"
local metrics = require "sim.cloudwatch.metrics"

local evaluate = {}

local breaches = {
  GreaterThanThreshold = function(value, threshold) return value > threshold end,
  GreaterThanOrEqualToThreshold = function(value, threshold) return value >= threshold end,
  LessThanThreshold = function(value, threshold) return value < threshold end,
  LessThanOrEqualToThreshold = function(value, threshold) return value <= threshold end,
}

-- ---- what there is -------------------------------------------------------------------------------

-- The periods that count, newest first: {place, start, value, breaching}; those without data are left out.
local function look(world, alarm)
  local period, count = alarm.period, alarm.evaluation_periods
  local last = math.floor(world:now() - facts.durations.late) // period * period
  local range = count + facts.limits.spare_periods
  local series = metrics.find(world, alarm.namespace, alarm.metric_name, alarm.dimensions)
  local found, points = metrics.periods(series, last - range * period, last, period, alarm.unit), {}
  for index = #found, 1, -1 do
    local value = metrics.value(found[index], alarm.statistic or alarm.extended_statistic)
    if value and #points < count then
      points[#points + 1] = {
        place = (last - found[index].start) // period, start = found[index].start, value = value,
        breaching = breaches[alarm.comparison_operator](value, alarm.threshold),
      }
    end
  end
  return points
end

local function count_breaching(points)
  local count = 0
  for _, point in ipairs(points) do
    count = count + (point.breaching and 1 or 0)
  end
  return count
end

-- ---- deciding ------------------------------------------------------------------------------------

-- Only breaching points, and too few of them: they count when the oldest is as old as the alarm asks.
local function decide_sparse(points, needed)
  return points[#points].place >= needed and "ALARM" or nil
end

-- The state that follows, or nil: the alarm stays as it is.
local function decide(alarm, points)
  local needed, missing = alarm.datapoints_to_alarm, alarm.evaluation_periods - #points
  local breaching, treat = count_breaching(points), alarm.treat_missing_data
  if missing > 0 and treat == "breaching" then
    breaching = breaching + missing
  end
  if breaching >= needed then
    return "ALARM"
  elseif missing == 0 or treat == "breaching" or treat == "notBreaching" or breaching < #points then
    return "OK"
  elseif treat == "ignore" then
    return nil
  elseif #points == 0 then
    return "INSUFFICIENT_DATA"
  end
  return decide_sparse(points, needed)
end

-- ---- saying it -----------------------------------------------------------------------------------

local function plural(count)
  return count == 1 and "" or "s"
end

local function were(count)
  return count == 1 and "was" or "were"
end

local function crossed(alarm, state, points)
  local shown = {}
  for _, point in ipairs(points) do
    if point.breaching == (state == "ALARM") then
      shown[#shown + 1] = ("%s (%s)"):format(json.double(point.value), dates.short(point.start))
    end
  end
  local needed = alarm.datapoints_to_alarm
  if state == "OK" then
    needed = alarm.evaluation_periods - needed + 1
  end
  local verb = were(#shown) .. (state == "ALARM" and "" or " not")
  return facts.texts.crossed:format(#shown, alarm.evaluation_periods, table.concat(shown, ", "), verb,
    facts.operators[alarm.comparison_operator], json.double(alarm.threshold),
    needed, plural(needed), state == "ALARM" and "OK -> ALARM" or "ALARM -> OK")
end

local function reason_of(alarm, state, points)
  local count = alarm.evaluation_periods
  if state == "INSUFFICIENT_DATA" then
    return facts.texts.insufficient:format(count, plural(count), were(count))
  elseif #points == 0 then
    local word = state == "ALARM" and "Breaching" or "NonBreaching"
    return facts.texts.treated:format(count, plural(count), count, plural(count), were(count), word)
  end
  return crossed(alarm, state, points)
end

local function data_of(world, alarm, points)
  local recent, oldest = {}, points[#points]
  for index = #points, 1, -1 do
    recent[#recent + 1] = json.as_double(points[index].value)
  end
  return json.ordered {
    { "version", "1.0" }, { "queryDate", dates.iso(world:now()) },
    { "startDate", oldest and dates.iso(oldest.start) or nil },
    { "statistic", alarm.statistic or alarm.extended_statistic }, { "period", alarm.period },
    { "recentDatapoints", recent }, { "threshold", json.as_double(alarm.threshold) },
  }.json_text
end

-- ---- acting --------------------------------------------------------------------------------------

local function note_actions(world, alarm)
  local lists = {
    OK = alarm.ok_actions, ALARM = alarm.alarm_actions, INSUFFICIENT_DATA = alarm.insufficient_data_actions,
  }
  for _, action in ipairs(alarm.actions_enabled and lists[alarm.state] or {}) do
    history.note(world, alarm.name, "Action", facts.texts.history_action:format(action), json.ordered {
      { "actionState", "Succeeded" }, { "notificationResource", action },
      { "stateUpdateTimestamp", math.floor(world:now() * 1000) },
    }.json_text)
  end
end

local function state_text(value, reason, data)
  return json.ordered {
    { "stateValue", value }, { "stateReason", reason },
    { "stateReasonData", data and json.decode(data) and { json_text = data } or nil },
  }
end

--- Puts an alarm into a state with a reason; it is noted and its actions done when the state is another.
function evaluate.set(world, alarm, state, reason, data)
  local before, before_reason, before_data = alarm.state, alarm.reason, alarm.reason_data
  alarm.state, alarm.reason, alarm.reason_data = state, reason, data
  alarm.updated = world:now()
  if before == state then
    return
  end
  alarm.transitioned = world:now()
  history.note(world, alarm.name, "StateUpdate", facts.texts.history_state:format(before, state), json.ordered {
    { "version", "1.0" }, { "oldState", state_text(before, before_reason, before_data) },
    { "newState", state_text(state, reason, data) },
  }.json_text)
  note_actions(world, alarm)
end

--- The state that the scenario holds an alarm in, or nil.
function evaluate.held(world, name)
  local held = require("sim.faults").get(world, "alarm", name)
  return (held == "OK" or held == "ALARM" or held == "INSUFFICIENT_DATA") and held or nil
end

--- Looks at an alarm as it is now.
function evaluate.alarm(world, alarm)
  local held = evaluate.held(world, alarm.name)
  if held then
    if held ~= alarm.state then
      evaluate.set(world, alarm, held, facts.texts.held:format(held), nil)
    end
    return
  end
  local points = look(world, alarm)
  local state = decide(alarm, points)
  if state and state ~= alarm.state then
    evaluate.set(world, alarm, state, reason_of(alarm, state, points), data_of(world, alarm, points))
  end
end

return evaluate
