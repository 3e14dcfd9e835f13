--- Operations on log events: putting them, reading a stream, filtering a group; metric filters.

local facts = require "sim.facts.logs"
local pattern = require "sim.logs.pattern"
local store = require "sim.logs.store"
local util = require "sim.util"

local events, operations = {}, {}

local function parsed_pattern(world, text)
  local parsed, problem = pattern.parse(text or "")
  if not parsed then
    world:fail("InvalidParameterException", problem)
  end
  return parsed
end

-- ---- metric filters ------------------------------------------------------------------------------

-- A line that fits a metric filter becomes a data point.
local function measure(world, group, message)
  for _, filter in ipairs(group.filters) do
    local parsed = pattern.parse(filter.pattern)
    if pattern.matches(parsed, message) then
      for _, change in ipairs(filter.transformations) do
        local value = pattern.number(parsed, message, change.metric_value)
        if value then
          local cloudwatch = require "sim.cloudwatch"
          cloudwatch.put(world, change.metric_namespace, change.metric_name, {}, value, change.unit or "None")
        end
      end
    end
  end
end

function operations.put_metric_filter(world, input)
  local group = store.group(world, input.log_group_name)
  parsed_pattern(world, input.filter_pattern)
  local filter = {
    name = input.filter_name, pattern = input.filter_pattern, created = store.milliseconds(world),
    transformations = util.copy(input.metric_transformations),
  }
  for index, known in ipairs(group.filters) do
    if known.name == filter.name then
      group.filters[index] = filter
      return
    end
  end
  group.filters[#group.filters + 1] = filter
end

function operations.delete_metric_filter(world, input)
  local group = store.group(world, input.log_group_name)
  for index, filter in ipairs(group.filters) do
    if filter.name == input.filter_name then
      table.remove(group.filters, index)
      return
    end
  end
  world:fail("ResourceNotFoundException", facts.texts.filter_missing)
end

local function measures(filter, input)
  for _, change in ipairs(filter.transformations) do
    if (not input.metric_name or change.metric_name == input.metric_name)
      and (not input.metric_namespace or change.metric_namespace == input.metric_namespace) then
      return true
    end
  end
  return false
end

function operations.describe_metric_filters(world, input)
  local list, prefix = {}, input.filter_name_prefix or ""
  local groups = world:state("logs").groups
  if input.log_group_name then
    groups = { [input.log_group_name] = store.group(world, input.log_group_name) }
  end
  for name, group in util.sorted_pairs(groups) do
    for _, filter in ipairs(group.filters) do
      if filter.name:sub(1, #prefix) == prefix and measures(filter, input) then
        list[#list + 1] = {
          filter_name = filter.name, filter_pattern = filter.pattern, log_group_name = name,
          metric_transformations = util.copy(filter.transformations), creation_time = filter.created,
        }
      end
    end
  end
  local page, token = world:page(list, input.next_token, input.limit or facts.limits.groups)
  return { metric_filters = page, next_token = token }
end

function operations.test_metric_filter(world, input)
  local parsed, matches = parsed_pattern(world, input.filter_pattern), {}
  for index, message in ipairs(input.log_event_messages) do
    if pattern.matches(parsed, message) then
      matches[#matches + 1] = {
        event_number = index, event_message = message, extracted_values = pattern.extract(parsed, message),
      }
    end
  end
  return { matches = matches }
end

-- ---- putting -------------------------------------------------------------------------------------

--- Adds an event and lets the group's metric filters see it.
function events.add(world, group, stream, timestamp, message, ingested)
  store.append(world, group, stream, timestamp, message, ingested)
  measure(world, group, message)
end

local function check_order(world, list)
  for index = 2, #list do
    if list[index].timestamp < list[index - 1].timestamp then
      world:fail("InvalidParameterException", facts.texts.order)
    end
  end
  if #list > 0 and list[#list].timestamp - list[1].timestamp > facts.durations.span * 1000 then
    world:fail("InvalidParameterException", facts.texts.span)
  end
end

function operations.put_log_events(world, input)
  local group = store.group(world, input.log_group_name)
  local stream = group.streams[input.log_stream_name]
  if not stream then
    world:fail("ResourceNotFoundException", facts.texts.stream_missing)
  end
  check_order(world, input.log_events)
  local now, rejected = store.milliseconds(world), {}
  for index, event in ipairs(input.log_events) do
    local age = now - event.timestamp
    if age > facts.durations.too_old * 1000 then
      rejected.too_old_log_event_end_index = index
    elseif group.retention and age > group.retention * 86400000 then
      rejected.expired_log_event_end_index = index
    elseif -age > facts.durations.too_new * 1000 then
      rejected.too_new_log_event_start_index = rejected.too_new_log_event_start_index or index - 1
    else
      events.add(world, group, stream, event.timestamp, event.message, now)
    end
  end
  return {
    next_sequence_token = ("%056d"):format(world:state("logs").number),
    rejected_log_events_info = next(rejected) and rejected or nil,
  }
end

-- ---- reading one stream --------------------------------------------------------------------------

local function in_times(event, input)
  return (not input.start_time or event.timestamp >= input.start_time)
    and (not input.end_time or event.timestamp < input.end_time)
end

local function check_times(world, input)
  if input.start_time and input.end_time and input.start_time > input.end_time then
    world:fail("InvalidParameterException", facts.texts.times)
  end
end

-- Tokens name a place in a stream: f after an event, b before one.
local function place(world, token)
  local way, timestamp, number = token:match("^([fb])/(%d+)/(%d+)$")
  if not way then
    world:fail("InvalidParameterException", facts.texts.token_events)
  end
  return way, tonumber(timestamp), tonumber(number)
end

local function is_after(event, timestamp, number)
  return event.timestamp > timestamp or event.timestamp == timestamp and event.number > number
end

-- The part of a list that a page shows: from its start or its end, or beside the token's place.
local function window(world, list, input)
  local limit = input.limit or facts.limits.page
  local way, timestamp, number = input.start_from_head and "f" or "b", nil, nil
  if input.next_token then
    way, timestamp, number = place(world, input.next_token)
  end
  local first, last = 1, #list
  if timestamp and way == "f" then
    while first <= last and not is_after(list[first], timestamp, number) do
      first = first + 1
    end
  elseif timestamp then
    while last >= first and (is_after(list[last], timestamp, number) or list[last].number == number) do
      last = last - 1
    end
  end
  if way == "f" then
    return first, math.min(last, first + limit - 1)
  end
  return math.max(first, last - limit + 1), last
end

function operations.get_log_events(world, input)
  local group = store.identified(world, input)
  local stream = group.streams[input.log_stream_name]
  if not stream then
    world:fail("ResourceNotFoundException", facts.texts.stream_missing)
  end
  check_times(world, input)
  local list, page = {}, {}
  for _, event in ipairs(stream.events) do
    if store.sees(world, group, event) and in_times(event, input) then
      list[#list + 1] = event
    end
  end
  local first, last = window(world, list, input)
  for index = first, last do
    local event = list[index]
    page[#page + 1] = { timestamp = event.timestamp, message = event.message, ingestion_time = event.ingested }
  end
  -- At an end the token that led there is given back: that is how clients see it.
  local _, timestamp, number = place(world, input.next_token or "f/0/0")
  local early, late = list[first], list[last]
  if last < first then
    early, late = { timestamp = timestamp, number = number }, { timestamp = timestamp, number = number }
  end
  return {
    events = page, next_forward_token = ("f/%d/%d"):format(late.timestamp, late.number),
    next_backward_token = ("b/%d/%d"):format(early.timestamp, early.number),
  }
end

-- ---- filtering a group ---------------------------------------------------------------------------

local function stream_wanted(name, input)
  local prefix = input.log_stream_name_prefix
  return (not prefix or name:sub(1, #prefix) == prefix)
    and (not input.log_stream_names or not input.log_stream_names[1] or util.holds(input.log_stream_names, name))
end

--- The events of a group that a reader sees, in order of time: a list of {event, stream}. `input` may have
-- start_time, end_time, log_stream_names, log_stream_name_prefix.
function events.of_group(world, group, input)
  local list = {}
  for name, stream in util.sorted_pairs(group.streams) do
    if stream_wanted(name, input) then
      for _, event in ipairs(stream.events) do
        if in_times(event, input) and store.sees(world, group, event) then
          list[#list + 1] = { event = event, stream = name }
        end
      end
    end
  end
  table.sort(list, function(a, b)
    return is_after(b.event, a.event.timestamp, a.event.number)
  end)
  return list
end

-- One page of what fits: at most `limit` events and about 1 MB. Returns it and the place to go on from.
local function filtered_page(list, first, parsed, limit)
  local page, bytes = {}, 0
  for index = first, #list do
    local item = list[index]
    if pattern.matches(parsed, item.event.message) then
      if #page >= limit or bytes > 0 and bytes + #item.event.message > facts.limits.page_bytes then
        return page, list[index - 1]
      end
      bytes = bytes + #item.event.message
      page[#page + 1] = {
        log_stream_name = item.stream, timestamp = item.event.timestamp, message = item.event.message,
        ingestion_time = item.event.ingested, event_id = store.event_id(item.event),
      }
    end
  end
  return page, nil
end

function operations.filter_log_events(world, input)
  local group = store.identified(world, input)
  local names = input.log_stream_names
  if names and names[1] and input.log_stream_name_prefix then
    world:fail("InvalidParameterException", facts.texts.prefix_and_names)
  end
  check_times(world, input)
  for _, name in ipairs(names or {}) do
    if not group.streams[name] then
      world:fail("ResourceNotFoundException", facts.texts.stream_missing)
    end
  end
  local parsed = parsed_pattern(world, input.filter_pattern)
  -- FilterLogEvents has its end inclusive.
  local list = events.of_group(world, group, {
    start_time = input.start_time, end_time = input.end_time and input.end_time + 1,
    log_stream_names = names, log_stream_name_prefix = input.log_stream_name_prefix,
  })
  local first = 1
  if input.next_token then
    local _, timestamp, number = place(world, input.next_token)
    while list[first] and not is_after(list[first].event, timestamp, number) do
      first = first + 1
    end
  end
  local page, last = filtered_page(list, first, parsed, input.limit or facts.limits.page)
  return {
    events = page, searched_log_streams = {},
    next_token = last and ("f/%d/%d"):format(last.event.timestamp, last.event.number) or nil,
  }
end

events.operations = operations
return events
