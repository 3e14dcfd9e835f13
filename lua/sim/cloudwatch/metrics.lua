--- Metrics: their data points, put and read. Points are kept by the minute (or second, when they are of high
-- resolution), each with what statistics need.

local facts = require "sim.facts.cloudwatch"
local functions = require "sim.logs.query.functions"
local util = require "sim.util"

local metrics, operations = {}, {}

-- ---- keeping -------------------------------------------------------------------------------------

local function sorted_dimensions(dimensions)
  local list = {}
  for index, dimension in ipairs(dimensions or {}) do
    list[index] = { name = dimension.name, value = dimension.value }
  end
  table.sort(list, function(a, b)
    return a.name < b.name
  end)
  return list
end

local function key_of(namespace, name, dimensions)
  local parts = { namespace, name }
  for _, dimension in ipairs(sorted_dimensions(dimensions)) do
    parts[#parts + 1] = ("%s=%s"):format(dimension.name, dimension.value)
  end
  return table.concat(parts, "\n")
end

--- The series of a metric, or nil.
function metrics.find(world, namespace, name, dimensions)
  return world:state("cloudwatch").series[key_of(namespace, name, dimensions)]
end

local function open_series(world, namespace, name, dimensions)
  local all, key = world:state("cloudwatch").series, key_of(namespace, name, dimensions)
  all[key] = all[key] or { namespace = namespace, name = name, dimensions = sorted_dimensions(dimensions), points = {} }
  return all[key]
end

-- The point of a time and unit, made in its place when there is none. Points mostly come in order.
local function open_point(series, start, unit)
  local points = series.points
  local at = #points
  while at > 0 and points[at].start > start do
    at = at - 1
  end
  for index = at, 1, -1 do
    if points[index].start < start then
      break
    elseif points[index].unit == unit then
      return points[index]
    end
  end
  local point = { start = start, unit = unit, count = 0, sum = 0, values = {}, counts = {} }
  table.insert(points, at + 1, point)
  return point
end

local function forget_old(world, series)
  local oldest = world:now() - facts.durations.kept
  while series.points[1] and series.points[1].start < oldest do
    table.remove(series.points, 1)
  end
end

local function add_value(point, value, count)
  point.count, point.sum = point.count + count, point.sum + value * count
  point.low = math.min(point.low or value, value)
  point.high = math.max(point.high or value, value)
  if #point.values < facts.limits.values then
    table.insert(point.values, value)
    table.insert(point.counts, count)
  end
end

--- Adds values to a metric. `datum`: {time, values, counts, unit, resolution, set = {sample_count, sum, minimum,
-- maximum}}; dimensions is a list of {name, value}.
function metrics.add(world, namespace, name, dimensions, datum)
  local series = open_series(world, namespace, name, dimensions)
  local size = datum.resolution == 1 and 1 or 60
  local point = open_point(series, math.floor(datum.time) // size * size, datum.unit or "None")
  for index, value in ipairs(datum.values or {}) do
    add_value(point, value, datum.counts and datum.counts[index] or 1)
  end
  local set = datum.set
  if set then
    point.count, point.sum = point.count + set.sample_count, point.sum + set.sum
    point.low = math.min(point.low or set.minimum, set.minimum)
    point.high = math.max(point.high or set.maximum, set.maximum)
  end
  forget_old(world, series)
end

-- ---- statistics ----------------------------------------------------------------------------------

-- Joins the points of one period.
local function join(into, point)
  into.count, into.sum = into.count + point.count, into.sum + point.sum
  into.low = math.min(into.low or point.low, point.low)
  into.high = math.max(into.high or point.high, point.high)
  for index, value in ipairs(point.values) do
    into.weighted[#into.weighted + 1] = { value, point.counts[index] }
  end
end

-- The place of the first point from `time` on. What is asked for is mostly near the end.
local function place_of(points, time)
  local at = #points + 1
  while at > 1 and points[at - 1].start >= time do
    at = at - 1
  end
  return at
end

--- The periods of a metric that have data, oldest first: {start, count, sum, low, high, weighted, unit}. Points
-- from `first` on (its whole minute, unless the period is shorter) and before `last` count.
function metrics.periods(series, first, last, period, unit)
  local list = {}
  first = period >= 60 and math.floor(first) // 60 * 60 or first
  local points = series and series.points or {}
  for index = place_of(points, first), #points do
    local point = points[index]
    if point.start < last and (not unit or point.unit == unit) then
      local start = point.start // period * period
      local current = list[#list]
      if not current or current.start ~= start then
        current = { start = start, count = 0, sum = 0, weighted = {}, unit = point.unit }
        list[#list + 1] = current
      end
      join(current, point)
    end
  end
  return list
end

local function percentile(period, percent)
  local sorted = {}
  for _, pair in ipairs(period.weighted) do
    for _ = 1, math.min(math.floor(pair[2]), 1000) do
      sorted[#sorted + 1] = pair[1]
    end
  end
  table.sort(sorted)
  return functions.percentile(sorted, percent)
end

local plain = {
  SampleCount = function(period) return period.count end,
  Sum = function(period) return period.sum end,
  Average = function(period) return period.count > 0 and period.sum / period.count or nil end,
  Minimum = function(period) return period.low end,
  Maximum = function(period) return period.high end,
}

--- Whether there is a statistic of this name.
function metrics.is_statistic(name)
  local percent = tonumber(name:match("^p(%d+%.?%d*)$"))
  return plain[name] ~= nil or percent ~= nil and percent <= 100
end

--- The value of a statistic ("Sum", "p95") of one period, as a double; or nil.
function metrics.value(period, statistic)
  local value
  if plain[statistic] then
    value = plain[statistic](period)
  else
    value = percentile(period, tonumber(statistic:sub(2)))
  end
  return value and value + 0.0
end

-- ---- putting -------------------------------------------------------------------------------------

local function is_finite(value)
  return value == value and value ~= math.huge and value ~= -math.huge
end

local function check_values(world, datum, number)
  local values = datum.values or { datum.value }
  if not values[1] and not datum.statistic_values then
    world:fail("MissingParameter", facts.texts.value_needed:format(number))
  elseif datum.counts and #datum.counts ~= #values then
    world:fail("InvalidParameterValue", facts.texts.counts:format(number, number))
  end
  for _, value in ipairs(values) do
    if not is_finite(value) then
      world:fail("InvalidParameterValue", facts.texts.value_range:format(tostring(value), number))
    end
  end
  local time = datum.timestamp or world:now()
  if time < world:now() - 14 * 86400 or time > world:now() + 2 * 3600 then
    world:fail("InvalidParameterValue", facts.texts.value_time:format(number))
  end
  return values, time
end

function operations.put_metric_data(world, input)
  if input.namespace:find("^AWS/") then
    world:fail("InvalidParameterValue", facts.texts.namespace)
  end
  local checked = {}
  for number, datum in ipairs(input.metric_data or {}) do
    local values, time = check_values(world, datum, number)
    checked[number] = { values = values, time = time }
  end
  for number, datum in ipairs(input.metric_data or {}) do
    metrics.add(world, input.namespace, datum.metric_name, datum.dimensions, {
      time = checked[number].time, values = checked[number].values, counts = datum.counts,
      set = datum.statistic_values, unit = datum.unit, resolution = datum.storage_resolution,
    })
  end
end

-- ---- reading -------------------------------------------------------------------------------------

local function with_commas(number)
  local text = ("%d"):format(number)
  return (text:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""))
end

local short_periods = { 1, 5, 10, 20, 30 }

local function check_period(world, period)
  if period % 60 ~= 0 and not util.holds(short_periods, period) or period < 1 then
    world:fail("InvalidParameterValue", facts.texts.period)
  end
end

local function check_request(world, input)
  check_period(world, input.period)
  if input.start_time >= input.end_time then
    world:fail("InvalidParameterValue", facts.texts.start_end)
  end
  local points = math.ceil((input.end_time - input.start_time) / input.period)
  if points > facts.limits.points then
    world:fail("InvalidParameterCombination", facts.texts.points:format(with_commas(points)))
  end
  local wanted = 0
  for _, list in ipairs { input.statistics or {}, input.extended_statistics or {} } do
    for _, name in ipairs(list) do
      wanted = wanted + 1
      if not metrics.is_statistic(name) then
        world:fail("InvalidParameterValue", facts.texts.statistic:format(name))
      end
    end
  end
  if wanted == 0 then
    world:fail("InvalidParameterCombination", facts.texts.statistics)
  end
end

local fields = {
  SampleCount = "sample_count", Sum = "sum", Average = "average", Minimum = "minimum", Maximum = "maximum",
}

local function datapoint(period, input)
  local out = { timestamp = period.start, unit = period.unit }
  for _, name in ipairs(input.statistics or {}) do
    out[fields[name]] = metrics.value(period, name)
  end
  for _, name in ipairs(input.extended_statistics or {}) do
    out.extended_statistics = out.extended_statistics or {}
    out.extended_statistics[name] = metrics.value(period, name)
  end
  return out
end

function operations.get_metric_statistics(world, input)
  check_request(world, input)
  local series = metrics.find(world, input.namespace, input.metric_name, input.dimensions)
  local points = {}
  for index, period in ipairs(metrics.periods(series, input.start_time, input.end_time, input.period, input.unit)) do
    points[index] = datapoint(period, input)
  end
  -- The service promises no order, and clients that trust one are to find out.
  table.sort(points, function(a, b)
    local x, y = a.timestamp * 2654435761 & 0xffffffff, b.timestamp * 2654435761 & 0xffffffff
    return x < y
  end)
  return { label = input.metric_name, datapoints = points }
end

-- The one expression that there is: the quota of a metric that counts what is used of it.
local function quota_source(expression)
  return expression and expression:match("^%s*SERVICE_QUOTA%(%s*([%w_]+)%s*%)%s*$")
end

local function check_queries(world, queries)
  local seen = {}
  for _, query in ipairs(queries) do
    if not query.id:find("^[a-z][%w_]*$") then
      world:fail("ValidationError", facts.texts.query_id:format(query.id))
    elseif seen[query.id] then
      world:fail("ValidationError", facts.texts.query_ids)
    elseif query.expression and not quota_source(query.expression) then
      world:fail("ValidationError", facts.texts.math:format(query.expression, query.id))
    elseif not query.metric_stat and not query.expression then
      world:fail("ValidationError", facts.texts.query_empty:format(query.id))
    elseif query.metric_stat and not metrics.is_statistic(query.metric_stat.stat) then
      world:fail("ValidationError", facts.texts.statistic:format(query.metric_stat.stat))
    end
    if query.metric_stat then
      check_period(world, query.metric_stat.period)
    end
    seen[query.id] = true
  end
end

local function query_result(world, query, input)
  local stat = query.metric_stat
  local metric = stat.metric
  local series = metrics.find(world, metric.namespace, metric.metric_name, metric.dimensions)
  local list = metrics.periods(series, input.start_time, input.end_time, stat.period, stat.unit)
  local times, values = {}, {}
  for index = 1, #list do
    local period = list[input.scan_by == "TimestampAscending" and index or #list + 1 - index]
    times[index], values[index] = period.start, metrics.value(period, stat.stat)
  end
  return {
    id = query.id, label = query.label or metric.metric_name, timestamps = times, values = values,
  }
end

-- The service whose quota a metric of AWS/Usage counts against, or nil.
local function counted_service(metric)
  for _, dimension in ipairs(metric.namespace == "AWS/Usage" and metric.dimensions or {}) do
    if dimension.name == "Service" and facts.quotas[dimension.value] then
      return dimension.value
    end
  end
end

-- A point of the quota for each point of the metric.
local function quota_result(world, query, input)
  local id = quota_source(query.expression)
  for _, other in ipairs(input.metric_data_queries) do
    local service = other.id == id and other.metric_stat and counted_service(other.metric_stat.metric)
    if service then
      local result = query_result(world, other, input)
      local quota = require("sim.faults").get(world, "quota", service:lower()) or facts.quotas[service]
      for index in ipairs(result.values) do
        result.values[index] = quota
      end
      result.id, result.label = query.id, query.label or query.expression
      return result
    end
  end
  world:fail("ValidationError", facts.texts.quota_of:format(id))
end

-- The results with those of their points that belong to the page asked for. A result without points is on the
-- first page; one whose points go on is "PartialData".
local function page_of(world, results, input)
  local positions = {}
  for _, result in ipairs(results) do
    for _ = 1, #result.values do
      positions[#positions + 1] = #positions + 1
    end
  end
  local size = input.max_datapoints or facts.limits.data
  local page, token = world:page(positions, input.next_token, size, "InvalidNextToken")
  local first, last, before, shown = page[1] or 1, page[#page] or 0, 0, {}
  for _, result in ipairs(results) do
    local count = #result.values
    local from, to = math.max(first - before, 1), math.min(last - before, count)
    if from <= to or count == 0 and not input.next_token then
      shown[#shown + 1] = {
        id = result.id, label = result.label, status_code = to < count and "PartialData" or "Complete",
        timestamps = table.move(result.timestamps, from, to, 1, {}), values = table.move(result.values, from, to, 1, {}),
      }
    end
    before = before + count
  end
  return shown, token
end

function operations.get_metric_data(world, input)
  check_queries(world, input.metric_data_queries)
  if input.start_time >= input.end_time then
    world:fail("ValidationError", facts.texts.start_end)
  end
  local results = {}
  for _, query in ipairs(input.metric_data_queries) do
    if query.return_data ~= false then
      results[#results + 1] = (query.expression and quota_result or query_result)(world, query, input)
    end
  end
  local page, token = page_of(world, results, input)
  return { metric_data_results = page, messages = {}, next_token = token }
end

-- ---- listing -------------------------------------------------------------------------------------

local function has_dimension(series, wanted)
  for _, dimension in ipairs(series.dimensions) do
    if dimension.name == wanted.name and (not wanted.value or dimension.value == wanted.value) then
      return true
    end
  end
  return false
end

local function is_wanted(series, input)
  if input.namespace and series.namespace ~= input.namespace
    or input.metric_name and series.name ~= input.metric_name then
    return false
  end
  for _, wanted in ipairs(input.dimensions or {}) do
    if not has_dimension(series, wanted) then
      return false
    end
  end
  return true
end

function operations.list_metrics(world, input)
  local list = {}
  for _, series in util.sorted_pairs(world:state("cloudwatch").series) do
    if is_wanted(series, input) then
      list[#list + 1] = {
        namespace = series.namespace, metric_name = series.name, dimensions = util.copy(series.dimensions),
      }
    end
  end
  local page, token = world:page(list, input.next_token, facts.limits.metrics, "InvalidParameterValue")
  return { metrics = page, next_token = token }
end

metrics.operations = operations
return metrics
