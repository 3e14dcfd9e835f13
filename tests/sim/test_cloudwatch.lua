--- CloudWatch: data points and statistics, alarms and their reasons, dashboards, the minute.

local t = dofile "tests/sim/harness.lua"
local cloudwatch = require "sim.cloudwatch"

local start = 1767225600

local function call(world, operation, input)
  return t.call(world, "cloudwatch", operation, input)
end

local function fails(world, code, operation, input)
  return t.raises(code, function()
    return world:call("cloudwatch", operation, input, t.caller)
  end)
end

local function put(world, value, more)
  local datum = { metric_name = "M", value = value, dimensions = { { name = "D", value = "d" } } }
  for key, item in pairs(more or {}) do
    datum[key] = item
  end
  call(world, "put_metric_data", { namespace = "App", metric_data = { datum } })
end

local function statistics(world, more)
  local input = {
    namespace = "App", metric_name = "M", dimensions = { { name = "D", value = "d" } }, start_time = start,
    end_time = start + 3600, period = 60, statistics = { "Average", "Sum", "SampleCount", "Minimum", "Maximum" },
  }
  for key, item in pairs(more or {}) do
    input[key] = item
  end
  local points = call(world, "get_metric_statistics", input).datapoints
  table.sort(points, function(a, b) return a.timestamp < b.timestamp end)
  return points
end

-- ---- metrics -------------------------------------------------------------------------------------

t.test("points of a minute are joined", function()
  local world = t.world { seed = 1 }
  put(world, 1)
  t.advance(world, 20)
  put(world, 3, { unit = "None" })
  t.advance(world, 60)
  put(world, 10)
  t.equal(statistics(world), {
    { timestamp = start, unit = "None", average = 2.0, sum = 4.0, sample_count = 2.0, minimum = 1.0, maximum = 3.0 },
    { timestamp = start + 60, unit = "None", average = 10.0, sum = 10.0, sample_count = 1.0, minimum = 10.0, maximum = 10.0 },
  })
  t.equal(#statistics(world, { period = 300 }), 1)
  t.equal(statistics(world, { end_time = start + 60 })[1].sum, 4.0)
  t.equal(#statistics(world, { end_time = start + 60 }), 1)
end)

t.test("values with counts, sets of statistics and percentiles are understood", function()
  local world = t.world { seed = 1 }
  put(world, nil, { values = { 1, 2, 3, 4 }, counts = { 1, 1, 1, 7 } })
  local point = statistics(world, { statistics = { "SampleCount" }, extended_statistics = { "p50", "p0", "p100" } })[1]
  t.equal(point.sample_count, 10.0)
  t.equal(point.extended_statistics, { p0 = 1.0, p50 = 4.0, p100 = 4.0 })
  t.advance(world, 60)
  put(world, nil, { statistic_values = { sample_count = 4, sum = 8, minimum = 1, maximum = 3 } })
  t.equal(statistics(world, { statistics = { "Average" } })[2].average, 2.0)
end)

t.test("no data is an empty list", function()
  t.equal(statistics(t.world { seed = 1 }), {})
end)

t.test("requests for statistics are checked", function()
  local world = t.world { seed = 1 }
  local function refused(code, more)
    local input = { namespace = "A", metric_name = "M", start_time = start, end_time = start + 600, period = 60, statistics = { "Sum" } }
    for key, item in pairs(more) do
      input[key] = item
    end
    return fails(world, code, "get_metric_statistics", input).message
  end
  t.contains(refused("InvalidParameterCombination", { end_time = start + 86460 }), "1,441 datapoints")
  refused("InvalidParameterValue", { period = 61 })
  refused("InvalidParameterValue", { end_time = start })
  refused("InvalidParameterCombination", { statistics = {} })
  refused("InvalidParameterValue", { statistics = {}, extended_statistics = { "p101" } })
end)

t.test("data points are checked", function()
  local world = t.world { seed = 1 }
  local function refused(code, datum, namespace)
    datum.metric_name = "M"
    fails(world, code, "put_metric_data", { namespace = namespace or "App", metric_data = { datum } })
  end
  refused("InvalidParameterValue", { value = 1 }, "AWS/ECS")
  refused("MissingParameter", {})
  refused("InvalidParameterValue", { value = 0 / 0 })
  refused("InvalidParameterValue", { value = 1, timestamp = start - 15 * 86400 })
  refused("InvalidParameterValue", { values = { 1, 2 }, counts = { 1 } })
end)

t.test("metric data comes newest first unless asked otherwise", function()
  local world = t.world { seed = 1 }
  put(world, 1)
  t.advance(world, 60)
  put(world, 2)
  local input = {
    start_time = start, end_time = start + 600,
    metric_data_queries = { { id = "a", metric_stat = {
      metric = { namespace = "App", metric_name = "M", dimensions = { { name = "D", value = "d" } } }, period = 60, stat = "Sum",
    } } },
  }
  local result = call(world, "get_metric_data", input).metric_data_results[1]
  t.equal({ result.values, result.timestamps, result.label }, { { 2.0, 1.0 }, { start + 60, start }, "M" })
  input.scan_by = "TimestampAscending"
  t.equal(call(world, "get_metric_data", input).metric_data_results[1].values, { 1.0, 2.0 })
  input.metric_data_queries[2] = { id = "e", expression = "a * 2" }
  t.contains(fails(world, "ValidationError", "get_metric_data", input).message, "a * 2")
  input.metric_data_queries[2] = { id = "a", metric_stat = input.metric_data_queries[1].metric_stat }
  fails(world, "ValidationError", "get_metric_data", input)
end)

t.test("the Fargate quota and what is used of it are measured", function()
  local world = t.world { seed = 1 }
  local control = require "sim.control"
  control.service(world, { app = "shop", desired = 2, cpu = 512 })
  control.advance(world, { time = "3m" })
  local function newest(expression)
    local answer = call(world, "get_metric_data", {
      start_time = world:now() - 600, end_time = world:now(),
      metric_data_queries = {
        { id = "used", metric_stat = { period = 300, stat = "Maximum", metric = {
          namespace = "AWS/Usage", metric_name = "ResourceCount", dimensions = {
            { name = "Service", value = "Fargate" }, { name = "Type", value = "Resource" },
            { name = "Resource", value = "vCPU" }, { name = "Class", value = "Standard/OnDemand" },
          },
        } } },
        { id = "quota", expression = expression },
      },
    })
    return { answer.metric_data_results[1].values[1], answer.metric_data_results[2].values[1] }
  end
  t.equal(newest "SERVICE_QUOTA(used)", { 1.0, 1000 })
  control.fault(world, { kind = "quota", key = "fargate", value = 6 })
  t.equal(newest "SERVICE_QUOTA(used)", { 1.0, 6 })
end)

t.test("only metrics of use have a quota", function()
  local world = t.world { seed = 1 }
  put(world, 1)
  t.contains(fails(world, "ValidationError", "get_metric_data", {
    start_time = start, end_time = start + 600,
    metric_data_queries = {
      { id = "a", metric_stat = { period = 60, stat = "Sum", metric = { namespace = "App", metric_name = "M" } } },
      { id = "q", expression = "SERVICE_QUOTA(a)" },
    },
  }).message, "'a' is none")
end)

t.test("metric data comes in pages of as many points as asked for", function()
  local world = t.world { seed = 1 }
  for value = 1, 3 do
    put(world, value)
    t.advance(world, 60)
  end
  local stat = { metric = { namespace = "App", metric_name = "M", dimensions = { { name = "D", value = "d" } } },
    period = 60, stat = "Sum" }
  local nothing = { metric = { namespace = "App", metric_name = "Other" }, period = 60, stat = "Sum" }
  local input = { start_time = start, end_time = start + 600, max_datapoints = 2,
    metric_data_queries = { { id = "none", metric_stat = nothing }, { id = "a", metric_stat = stat } } }
  local first = call(world, "get_metric_data", input)
  t.equal({ first.metric_data_results[1].id, first.metric_data_results[1].status_code }, { "none", "Complete" })
  t.equal({ first.metric_data_results[2].values, first.metric_data_results[2].status_code }, { { 3.0, 2.0 }, "PartialData" })
  input.next_token = first.next_token
  local second = call(world, "get_metric_data", input)
  t.equal({ #second.metric_data_results, second.metric_data_results[1].values, second.metric_data_results[1].status_code,
    second.next_token }, { 1, { 1.0 }, "Complete" })
end)

t.test("metrics are listed by any of their parts", function()
  local world = t.world { seed = 1 }
  put(world, 1)
  put(world, 1, { metric_name = "N", dimensions = {} })
  t.equal(#call(world, "list_metrics", {}).metrics, 2)
  t.equal(#call(world, "list_metrics", { namespace = "App", dimensions = { { name = "D" } } }).metrics, 1)
  t.equal(#call(world, "list_metrics", { dimensions = { { name = "D", value = "x" } } }).metrics, 0)
  t.equal(call(world, "list_metrics", { metric_name = "N" }).metrics[1].dimensions, {})
end)

-- ---- alarms --------------------------------------------------------------------------------------

local function alarm(world, more)
  local input = {
    alarm_name = "a", namespace = "App", metric_name = "M", dimensions = { { name = "D", value = "d" } },
    statistic = "Average", period = 60, evaluation_periods = 1, threshold = 80,
    comparison_operator = "GreaterThanThreshold",
  }
  for key, item in pairs(more or {}) do
    input[key] = item
  end
  call(world, "put_metric_alarm", input)
end

local function state(world)
  return call(world, "describe_alarms", { alarm_names = { "a" } }).metric_alarms[1]
end

t.test("a new alarm is unchecked, and fires a minute after its period", function()
  local world = t.world { seed = 1 }
  alarm(world)
  t.equal({ state(world).state_value, state(world).state_reason },
    { "INSUFFICIENT_DATA", "Unchecked: Initial alarm creation" })
  put(world, 95)
  t.advance(world, 119)
  t.equal(state(world).state_value, "INSUFFICIENT_DATA")
  t.advance(world, 1)
  t.equal(state(world).state_value, "ALARM")
  t.equal(state(world).state_reason, "Threshold Crossed: 1 out of the last 1 datapoints [95.0 (01/01/26 00:00:00)] was "
    .. "greater than the threshold (80.0) (minimum 1 datapoint for OK -> ALARM transition).")
  t.equal(state(world).state_reason_data, '{"version":"1.0","queryDate":"2026-01-01T00:02:00.000+0000","startDate":'
    .. '"2026-01-01T00:00:00.000+0000","statistic":"Average","period":60,"recentDatapoints":[95.0],"threshold":80.0}')
  t.equal(cloudwatch.alarm_state(world, "a"), "ALARM")
end)

t.test("an alarm goes back to OK with the opposite words", function()
  local world = t.world { seed = 1 }
  alarm(world, { comparison_operator = "GreaterThanOrEqualToThreshold", evaluation_periods = 2 })
  for _, value in ipairs { 90, 80, 10, 20 } do
    put(world, value)
    t.advance(world, 60)
  end
  t.equal(state(world).state_value, "OK")
  t.advance(world, 60)
  local items = call(world, "describe_alarm_history", { history_item_type = "StateUpdate", scan_by = "TimestampAscending" })
  local summaries = {}
  for index, item in ipairs(items.alarm_history_items) do
    summaries[index] = item.history_summary
  end
  t.equal(summaries, { "Alarm updated from INSUFFICIENT_DATA to ALARM", "Alarm updated from ALARM to OK" })
  t.equal(state(world).state_reason, "Threshold Crossed: 1 out of the last 2 datapoints [10.0 (01/01/26 00:02:00)] was "
    .. "not greater than or equal to the threshold (80.0) (minimum 1 datapoint for ALARM -> OK transition).")
end)

-- Points of minutes, oldest first, nil as "-"; what follows with each treatment of missing data.
for _, case in ipairs {
  { "0-X-X", 3, 3, "OK", "OK", "OK", "OK" },
  { "0----", 3, 3, "OK", "OK", "OK", "OK" },
  { "-----", 3, 3, "INSUFFICIENT_DATA", "ALARM", "ALARM", "OK" },
  { "0XX-X", 3, 3, "ALARM", "ALARM", "ALARM", "ALARM" },
  { "--X--", 3, 3, "ALARM", "ALARM", "ALARM", "OK", keep = true },
  { "0-X-X", 2, 3, "ALARM", "ALARM", "ALARM", "ALARM" },
  { "0-X--", 2, 3, "OK", "OK", "ALARM", "OK" },
  { "----0", 2, 3, "OK", "OK", "ALARM", "OK" },
  { "---X-", 2, 3, "ALARM", "ALARM", "ALARM", "OK", keep = true },
} do
  t.test(("%s, %d of %d, for each treatment of missing data"):format(case[1], case[2], case[3]), function()
    for index, treatment in ipairs { "missing", "ignore", "breaching", "notBreaching" } do
      local world = t.world { seed = 1 }
      t.advance(world, 3600)
      alarm(world, { evaluation_periods = case[3], datapoints_to_alarm = case[2], treat_missing_data = treatment })
      for place = 1, 5 do
        local mark = case[1]:sub(place, place)
        if mark ~= "-" then
          put(world, mark == "X" and 90 or 1, { timestamp = start + 3600 + (place - 1) * 60 })
        end
      end
      t.advance(world, 5 * 60 + 59)
      -- What "ignore" keeps shows best from a known state.
      call(world, "set_alarm_state", { alarm_name = "a", state_value = "ALARM", state_reason = "test" })
      t.advance(world, 1)
      t.equal(state(world).state_value, case[3 + index], treatment)
    end
  end)
end

t.test("missing data is named as it was treated", function()
  for treatment, want in pairs {
    notBreaching = "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching].",
    breaching = "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [Breaching].",
  } do
    local world = t.world { seed = 1 }
    alarm(world, { treat_missing_data = treatment })
    t.advance(world, 60)
    t.equal(state(world).state_reason, want)
  end
  local world = t.world { seed = 1 }
  alarm(world)
  put(world, 1)
  t.advance(world, 600)
  t.equal({ state(world).state_value, state(world).state_reason },
    { "INSUFFICIENT_DATA", "Insufficient Data: 1 datapoint was unknown." })
end)

t.test("a state that somebody sets lasts until the next look", function()
  local world = t.world { seed = 1 }
  alarm(world, { treat_missing_data = "notBreaching", alarm_actions = { "arn:aws:sns:eu-west-1:123456789012:t" } })
  call(world, "set_alarm_state", { alarm_name = "a", state_value = "ALARM", state_reason = "drill" })
  t.equal({ state(world).state_value, state(world).state_reason }, { "ALARM", "drill" })
  local action = call(world, "describe_alarm_history", { history_item_type = "Action" }).alarm_history_items[1]
  t.equal(action.history_summary, "Successfully executed action arn:aws:sns:eu-west-1:123456789012:t")
  t.advance(world, 60)
  t.equal(state(world).state_value, "OK")
  t.equal(fails(world, "ResourceNotFound", "set_alarm_state",
    { alarm_name = "no", state_value = "OK", state_reason = "x" }).status, 404)
  fails(world, "InvalidFormat", "set_alarm_state",
    { alarm_name = "a", state_value = "OK", state_reason = "x", state_reason_data = "{" })
end)

t.test("a scenario holds an alarm in a state", function()
  local world = t.world { seed = 1 }
  alarm(world, { treat_missing_data = "notBreaching" })
  local faults = require "sim.faults"
  faults.set(world, "alarm", "a", "ALARM")
  t.equal({ cloudwatch.alarm_state(world, "a"), state(world).state_value }, { "ALARM", "ALARM" })
  t.advance(world, 120)
  t.equal(state(world).state_value, "ALARM")
  faults.clear(world, "alarm", "a")
  t.advance(world, 60)
  t.equal(state(world).state_value, "OK")
end)

t.test("alarms that cannot be are refused", function()
  local world = t.world { seed = 1 }
  for name, more in pairs {
    ["no statistic"] = { statistic = "Median" }, both = { extended_statistic = "p95" }, period = { period = 61 },
    operator = { comparison_operator = "GreaterThanUpperThreshold" }, ["M of N"] = { datapoints_to_alarm = 2 },
    treatment = { treat_missing_data = "maybe" }, long = { period = 3600, evaluation_periods = 25 },
    math = { metrics = { { id = "e", expression = "1" } } },
  } do
    local ok, problem = pcall(alarm, world, more)
    t.equal(ok, false, name)
    t.contains(problem, "ValidationError")
  end
  fails(world, "NotSimulated", "put_composite_alarm", { alarm_name = "c", alarm_rule = "ALARM(a)" })
end)

t.test("alarms are found by prefix, state, action and metric", function()
  local world = t.world { seed = 1 }
  alarm(world)
  alarm(world, { alarm_name = "b", alarm_actions = { "arn:x" }, actions_enabled = false })
  local function names(input)
    local list = {}
    for index, item in ipairs(call(world, "describe_alarms", input).metric_alarms) do
      list[index] = item.alarm_name
    end
    return list
  end
  t.equal(names {}, { "a", "b" })
  t.equal(names { alarm_name_prefix = "b" }, { "b" })
  t.equal(names { action_prefix = "arn:" }, { "b" })
  t.equal(names { state_value = "OK" }, {})
  t.equal(names { alarm_types = { "CompositeAlarm" } }, {})
  t.equal(#call(world, "describe_alarms_for_metric",
    { namespace = "App", metric_name = "M", dimensions = { { name = "D", value = "d" } } }).metric_alarms, 2)
  t.equal(#call(world, "describe_alarms_for_metric", { namespace = "App", metric_name = "M" }).metric_alarms, 0)
  call(world, "enable_alarm_actions", { alarm_names = { "b" } })
  t.equal(call(world, "describe_alarms", { alarm_names = { "b" } }).metric_alarms[1].actions_enabled, true)
  call(world, "delete_alarms", { alarm_names = { "a", "b", "none" } })
  t.equal(names {}, {})
end)

t.test("pages and tags of alarms", function()
  local world = t.world { seed = 1 }
  for number = 1, 3 do
    alarm(world, { alarm_name = "a" .. number, tags = { { key = "k", value = "v" } } })
  end
  local page = call(world, "describe_alarms", { max_records = 2 })
  t.equal(#page.metric_alarms, 2)
  t.equal(#call(world, "describe_alarms", { max_records = 2, next_token = page.next_token }).metric_alarms, 1)
  fails(world, "InvalidNextToken", "describe_alarms", { next_token = "x" })
  local arn = page.metric_alarms[1].alarm_arn
  t.equal(arn, "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a1")
  call(world, "untag_resource", { resource_arn = arn, tag_keys = { "k" } })
  call(world, "tag_resource", { resource_arn = arn, tags = { { key = "x", value = "y" } } })
  t.equal(call(world, "list_tags_for_resource", { resource_arn = arn }).tags, { { key = "x", value = "y" } })
end)

-- ---- dashboards ----------------------------------------------------------------------------------

t.test("dashboards are kept as they were given", function()
  local world = t.world { seed = 1 }
  call(world, "put_dashboard", { dashboard_name = "main", dashboard_body = '{"widgets":[]}' })
  t.equal(call(world, "get_dashboard", { dashboard_name = "main" }).dashboard_body, '{"widgets":[]}')
  t.equal(call(world, "list_dashboards", { dashboard_name_prefix = "ma" }).dashboard_entries[1].size, 14)
  fails(world, "InvalidParameterInput", "put_dashboard", { dashboard_name = "x", dashboard_body = "nope" })
  fails(world, "InvalidParameterValue", "put_dashboard", { dashboard_name = "a b", dashboard_body = "{}" })
  fails(world, "ResourceNotFound", "get_dashboard", { dashboard_name = "other" })
  fails(world, "ResourceNotFound", "delete_dashboards", { dashboard_names = { "main", "other" } })
  call(world, "delete_dashboards", { dashboard_names = { "main" } })
  t.equal(call(world, "list_dashboards", {}).dashboard_entries, {})
end)

-- ---- the minute ----------------------------------------------------------------------------------

t.test("nothing ticks in a world without alarms and services", function()
  local world = t.world { seed = 1 }
  cloudwatch.wake(world)
  t.advance(world, 120)
  t.equal(world:next_event(), nil)
end)

t.test("the doors put points and read them back", function()
  local world = t.world { seed = 1 }
  cloudwatch.put(world, "AWS/X", "N", { A = "1" }, 5, "Count")
  t.equal(cloudwatch.latest(world, "AWS/X", "N", { { name = "A", value = "1" } }, "Sum", 60), nil)
  t.advance(world, 10)
  t.equal(cloudwatch.latest(world, "AWS/X", "N", { { name = "A", value = "1" } }, "Sum", 60), 5.0)
  t.equal(cloudwatch.alarm_state(world, "none"), nil)
end)

t.finish()
