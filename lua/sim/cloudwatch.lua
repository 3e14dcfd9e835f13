--- CloudWatch: metrics, alarms on one metric, dashboards, and the minute in which everything is measured.

local alarms = require "sim.cloudwatch.alarms"
local dashboards = require "sim.cloudwatch.dashboards"
local evaluate = require "sim.cloudwatch.evaluate"
local facts = require "sim.facts.cloudwatch"
local history = require "sim.cloudwatch.history"
local metrics = require "sim.cloudwatch.metrics"
local observe = require "sim.cloudwatch.observe"
local util = require "sim.util"

local cloudwatch = { operations = {}, handlers = {} }

function cloudwatch.init(_, state)
  state.series, state.alarms, state.dashboards = {}, {}, {}
  state.history = {}
  state.ticking = false
end

-- ---- the minute ----------------------------------------------------------------------------------

--- There is something to measure or to look at: the minute ticks from now on, until nothing is left.
function cloudwatch.wake(world)
  local state = world:state("cloudwatch")
  if not state.ticking then
    state.ticking = true
    local minute = facts.durations.minute
    world:after(minute - world:now() % minute, "cloudwatch.minute", {})
  end
end

--- Each minute: data points of the minute that ends, then alarms, then auto scaling.
function cloudwatch.handlers.minute(world)
  local state = world:state("cloudwatch")
  local time = world:now() - facts.durations.minute
  state.recording = time -- what is put now belongs to the minute that ends
  local services = observe.services(world, time)
  local elbv2 = require "sim.elbv2"
  if elbv2.minute then
    elbv2.minute(world)
  end
  state.recording = nil
  for _, alarm in util.sorted_pairs(state.alarms) do
    evaluate.alarm(world, alarm)
  end
  local scaling = require "sim.application_autoscaling"
  local targets = scaling.minute and scaling.minute(world) or 0
  state.ticking = false
  if services > 0 or targets > 0 or next(state.alarms) ~= nil then
    cloudwatch.wake(world)
  end
end

-- ---- operations ----------------------------------------------------------------------------------

for _, part in ipairs { metrics, alarms, history, dashboards } do
  for name, operation in util.sorted_pairs(part.operations) do
    cloudwatch.operations[name] = function(world, input, caller)
      cloudwatch.wake(world) -- whoever asks for metrics wants the world measured
      return operation(world, input, caller)
    end
  end
end

-- ---- for other services --------------------------------------------------------------------------

--- Puts a data point of now; `dimensions` is a map of names to values.
function cloudwatch.put(world, namespace, name, dimensions, value, unit)
  local list = {}
  for key, text in util.sorted_pairs(dimensions or {}) do
    list[#list + 1] = { name = key, value = text }
  end
  local time = world:state("cloudwatch").recording or world:now()
  metrics.add(world, namespace, name, list, { time = time, values = { value }, unit = unit })
end

--- "OK", "ALARM", "INSUFFICIENT_DATA"; nil when there is no such alarm.
function cloudwatch.alarm_state(world, name)
  local alarm = world:state("cloudwatch").alarms[name]
  return evaluate.held(world, name) or alarm and alarm.state
end

--- Makes or changes an alarm for another service; `input` as for PutMetricAlarm.
function cloudwatch.put_alarm(world, input)
  alarms.put(world, input)
  cloudwatch.wake(world)
end

cloudwatch.delete_alarm = alarms.delete
cloudwatch.alarm_arn = alarms.arn

--- The newest value of a statistic over the whole minutes of the last `seconds`, or nil.
function cloudwatch.latest(world, namespace, name, dimensions, statistic, seconds)
  local series = metrics.find(world, namespace, name, dimensions)
  local periods = metrics.periods(series, world:now() - seconds, world:now(), facts.durations.minute)
  local newest = periods[#periods]
  return newest and metrics.value(newest, statistic)
end

return cloudwatch
