--- CloudWatch Logs: groups, streams, events, filtering, metric filters.

local t = dofile "tests/sim/harness.lua"
local logs = require "sim.logs"

local function with_group(name)
  local world = t.world { seed = 1 }
  t.call(world, "logs", "create_log_group", { log_group_name = name or "/app" })
  return world
end

local function call(world, operation, input)
  return t.call(world, "logs", operation, input)
end

local function fails(world, code, operation, input)
  return t.raises(code, function()
    return world:call("logs", operation, input, t.caller)
  end)
end

local function milliseconds(world)
  return math.floor(world:now() * 1000)
end

local function put(world, stream, messages, first)
  local events = {}
  for index, message in ipairs(messages) do
    events[index] = { timestamp = (first or milliseconds(world)) + index - 1, message = message }
  end
  return call(world, "put_log_events", { log_group_name = "/app", log_stream_name = stream, log_events = events })
end

local function with_events(messages)
  local world = with_group()
  call(world, "create_log_stream", { log_group_name = "/app", log_stream_name = "s" })
  put(world, "s", messages)
  return world
end

local function messages_of(answer)
  local list = {}
  for index, event in ipairs(answer.events) do
    list[index] = event.message
  end
  return list
end

-- ---- groups and streams --------------------------------------------------------------------------

t.test("a group is described with its two ARNs", function()
  local world = with_group()
  local group = call(world, "describe_log_groups", { log_group_name_prefix = "/a" }).log_groups[1]
  t.equal(group.arn, "arn:aws:logs:eu-west-1:123456789012:log-group:/app:*")
  t.equal(group.log_group_arn, "arn:aws:logs:eu-west-1:123456789012:log-group:/app")
  t.equal(group.creation_time, 1767225600000)
  t.equal(call(world, "describe_log_groups", { log_group_name_prefix = "/b" }).log_groups, {})
  t.equal(#call(world, "describe_log_groups", { log_group_name_pattern = "pp" }).log_groups, 1)
end)

t.test("what is not there, or there already, has its own error", function()
  local world = with_group()
  local error = fails(world, "ResourceNotFoundException", "filter_log_events", { log_group_name = "/no" })
  t.equal(error.message, "The specified log group does not exist.")
  error = fails(world, "ResourceNotFoundException", "get_log_events", { log_group_name = "/app", log_stream_name = "no" })
  t.equal(error.message, "The specified log stream does not exist.")
  fails(world, "ResourceAlreadyExistsException", "create_log_group", { log_group_name = "/app" })
  fails(world, "InvalidParameterException", "create_log_group", { log_group_name = "a b" })
  fails(world, "InvalidParameterException", "create_log_stream", { log_group_name = "/app", log_stream_name = "a:b" })
  call(world, "create_log_stream", { log_group_name = "/app", log_stream_name = "s" })
  fails(world, "ResourceAlreadyExistsException", "create_log_stream", { log_group_name = "/app", log_stream_name = "s" })
  fails(world, "InvalidParameterException", "filter_log_events", {})
  fails(world, "InvalidParameterException", "filter_log_events", { log_group_name = "/app", log_group_identifier = "/app" })
end)

t.test("retention takes the days that the service has, and events older than that are gone", function()
  local world = with_events { "old" }
  fails(world, "InvalidParameterException", "put_retention_policy", { log_group_name = "/app", retention_in_days = 2 })
  call(world, "put_retention_policy", { log_group_name = "/app", retention_in_days = 1 })
  t.equal(#call(world, "filter_log_events", { log_group_name = "/app" }).events, 1)
  t.advance(world, 86400 + 60)
  t.equal(#call(world, "filter_log_events", { log_group_name = "/app" }).events, 0)
  call(world, "delete_retention_policy", { log_group_name = "/app" })
  t.equal(#call(world, "filter_log_events", { log_group_name = "/app" }).events, 1)
end)

t.test("streams are listed by name or by their last event", function()
  local world = with_group()
  for _, name in ipairs { "a", "b", "c" } do
    call(world, "create_log_stream", { log_group_name = "/app", log_stream_name = name })
  end
  put(world, "c", { "x" })
  t.advance(world, 5)
  put(world, "a", { "x" })
  local function names(input)
    input.log_group_name = "/app"
    local list = {}
    for index, stream in ipairs(call(world, "describe_log_streams", input).log_streams) do
      list[index] = stream.log_stream_name
    end
    return list
  end
  t.equal(names {}, { "a", "b", "c" })
  t.equal(names { order_by = "LastEventTime", descending = true }, { "a", "c", "b" })
  t.equal(names { log_stream_name_prefix = "b" }, { "b" })
  fails(world, "InvalidParameterException", "describe_log_streams",
    { log_group_name = "/app", order_by = "LastEventTime", log_stream_name_prefix = "a" })
end)

t.test("tags are set, listed and taken away", function()
  local world = with_group()
  local arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/app"
  call(world, "tag_resource", { resource_arn = arn, tags = { a = "1", b = "2" } })
  call(world, "untag_resource", { resource_arn = arn, tag_keys = { "a" } })
  t.equal(call(world, "list_tags_for_resource", { resource_arn = arn }).tags, { b = "2" })
  t.equal(call(world, "list_tags_log_group", { log_group_name = "/app" }).tags, { b = "2" })
end)

-- ---- events --------------------------------------------------------------------------------------

t.test("events must come in order and within a day", function()
  local world = with_events {}
  local now = milliseconds(world)
  local input = { log_group_name = "/app", log_stream_name = "s" }
  input.log_events = { { timestamp = now, message = "b" }, { timestamp = now - 1, message = "a" } }
  fails(world, "InvalidParameterException", "put_log_events", input)
  input.log_events = { { timestamp = now - 90000000, message = "a" }, { timestamp = now, message = "b" } }
  fails(world, "InvalidParameterException", "put_log_events", input)
end)

t.test("events of another time are refused one by one", function()
  local world = with_events {}
  local now = milliseconds(world)
  local function rejected(offset)
    return put(world, "s", { "x" }, now + offset).rejected_log_events_info
  end
  t.equal(rejected(0), nil)
  t.equal(rejected(-15 * 86400000), { too_old_log_event_end_index = 1 })
  t.equal(rejected(3 * 3600000), { too_new_log_event_start_index = 0 })
  call(world, "put_retention_policy", { log_group_name = "/app", retention_in_days = 1 })
  t.equal(rejected(-2 * 86400000), { expired_log_event_end_index = 1 })
  t.equal(#call(world, "filter_log_events", { log_group_name = "/app" }).events, 1)
end)

t.test("a stream is read forward and backward until a token leads to itself", function()
  local world = with_events { "1", "2", "3", "4", "5" }
  local input = { log_group_name = "/app", log_stream_name = "s", limit = 2 }
  local last = call(world, "get_log_events", input)
  t.equal(messages_of(last), { "4", "5" })
  input.next_token = last.next_backward_token
  t.equal(messages_of(call(world, "get_log_events", input)), { "2", "3" })
  input.next_token, input.start_from_head = nil, true
  local first = call(world, "get_log_events", input)
  t.equal(messages_of(first), { "1", "2" })
  input.next_token = first.next_forward_token
  t.equal(messages_of(call(world, "get_log_events", input)), { "3", "4" })
  input.next_token = last.next_forward_token
  local at_end = call(world, "get_log_events", input)
  t.equal({ at_end.events, at_end.next_forward_token }, { {}, last.next_forward_token })
  put(world, "s", { "6" }, milliseconds(world) + 100)
  t.equal(messages_of(call(world, "get_log_events", input)), { "6" })
  fails(world, "InvalidParameterException", "get_log_events",
    { log_group_name = "/app", log_stream_name = "s", next_token = "mine" })
end)

-- ---- filtering -----------------------------------------------------------------------------------

t.test("filtering goes over all streams in order of time", function()
  local world = with_group()
  for _, name in ipairs { "a/1", "b/1" } do
    call(world, "create_log_stream", { log_group_name = "/app", log_stream_name = name })
  end
  local now = milliseconds(world)
  put(world, "b/1", { "first", "third" }, now)
  put(world, "a/1", { "second" }, now)
  local answer = call(world, "filter_log_events", { log_group_name = "/app" })
  t.equal(messages_of(answer), { "first", "second", "third" })
  t.equal(answer.searched_log_streams, {})
  t.equal(#answer.events[1].event_id, 56)
  t.equal(answer.events[1].log_stream_name, "b/1")
  answer = call(world, "filter_log_events", { log_group_name = "/app", log_stream_name_prefix = "a/" })
  t.equal(messages_of(answer), { "second" })
  answer = call(world, "filter_log_events", { log_group_name = "/app", start_time = now + 1, end_time = now + 1 })
  t.equal(messages_of(answer), { "third" })
  fails(world, "InvalidParameterException", "filter_log_events",
    { log_group_name = "/app", log_stream_name_prefix = "a", log_stream_names = { "a/1" } })
  fails(world, "ResourceNotFoundException", "filter_log_events", { log_group_name = "/app", log_stream_names = { "z" } })
end)

t.test("a filter gives what fits, page by page, and what came since", function()
  local world = with_events { "error 1", "fine", "error 2", "error 3" }
  local input = { log_group_name = "/app", filter_pattern = "error", limit = 2 }
  local page = call(world, "filter_log_events", input)
  t.equal(messages_of(page), { "error 1", "error 2" })
  input.next_token = page.next_token
  page = call(world, "filter_log_events", input)
  t.equal({ messages_of(page), page.next_token }, { { "error 3" }, nil })
end)

t.test("a pattern that is wrong is refused with the service's text", function()
  local world = with_events { "x" }
  local error = fails(world, "InvalidParameterException", "filter_log_events",
    { log_group_name = "/app", filter_pattern = "user@host" })
  t.equal(error.message, "Invalid character(s) in term '@'")
end)

t.test("a metric filter is tested, kept, and makes data points", function()
  local world = with_events {}
  local answer = call(world, "test_metric_filter", {
    filter_pattern = "[ip, status = 5*]", log_event_messages = { "10.0.0.1 503", "10.0.0.1 200" },
  })
  t.equal(answer.matches,
    { { event_number = 1, event_message = "10.0.0.1 503", extracted_values = { ["$ip"] = "10.0.0.1", ["$status"] = "503" } } })
  local change = { metric_name = "Latency", metric_namespace = "App", metric_value = "$.ms" }
  call(world, "put_metric_filter", {
    log_group_name = "/app", filter_name = "f", filter_pattern = "{ $.ms > 10 }", metric_transformations = { change },
  })
  t.equal(call(world, "describe_metric_filters", { log_group_name = "/app" }).metric_filters[1].filter_name, "f")
  put(world, "s", { '{"ms":5}', '{"ms":20}', '{"ms":40}' })
  local now = math.floor(world:now())
  local points = t.call(world, "cloudwatch", "get_metric_statistics", {
    namespace = "App", metric_name = "Latency", start_time = now - 60, end_time = now + 60, period = 60,
    statistics = { "Sum", "SampleCount" },
  }).datapoints
  t.equal({ points[1].sum, points[1].sample_count }, { 60.0, 2.0 })
  call(world, "delete_metric_filter", { log_group_name = "/app", filter_name = "f" })
  fails(world, "ResourceNotFoundException", "delete_metric_filter", { log_group_name = "/app", filter_name = "f" })
end)

-- ---- the log driver's side -----------------------------------------------------------------------

t.test("a container's line is found a few seconds later", function()
  local world = with_group()
  t.equal(logs.put(world, "/app", "web/app/1", "hello"), true)
  t.equal(logs.put(world, "/no", "web/app/1", "hello"), false)
  t.equal(#call(world, "filter_log_events", { log_group_name = "/app" }).events, 0)
  t.advance(world, 5)
  local event = call(world, "filter_log_events", { log_group_name = "/app" }).events[1]
  t.equal({ event.message, event.timestamp, event.ingestion_time }, { "hello", 1767225600000, 1767225603000 })
end)

t.test("a group that the scenario calls missing is not there for tasks", function()
  local world = with_group()
  t.equal({ logs.exists(world, "/app"), logs.exists(world, "/no") }, { true, false })
  require("sim.faults").set(world, "log_group_missing", "/app", true)
  t.equal(logs.exists(world, "/app"), false)
end)

t.test("live tail is not simulated and says so", function()
  local world = with_group()
  fails(world, "NotSimulated", "start_live_tail", { log_group_identifiers = { "/app" } })
end)

t.finish()
