--- Logs Insights: queries are started, run for a while, and are asked for their results.

local base64 = require "sim.base64"
local events = require "sim.logs.events"
local facts = require "sim.facts.logs"
local json = require "sim.json"
local parse = require "sim.logs.query.parser"
local run = require "sim.logs.query.run"
local store = require "sim.logs.store"
local util = require "sim.util"

local operations, handlers = {}, {}

-- ---- records -------------------------------------------------------------------------------------

-- The fields of a JSON message by their dotted names; parts of lists by their place from 0.
local function discover(fields, prefix, value, depth)
  if type(value) ~= "table" or value == json.null then
    if value ~= json.null then
      fields[prefix] = value
    end
    return
  elseif depth > 20 then
    return
  end
  for key, item in util.sorted_pairs(value) do
    local name = type(key) == "number" and ("%d"):format(key - 1) or key
    discover(fields, prefix and prefix .. "." .. name or name, item, depth + 1)
  end
end

local function pointer(group, stream, event)
  return base64.encode(("%s|%s|%d"):format(group, stream, event.number))
end

local function record_of(world, group, item)
  local fields = {}
  local document = json.object_of(item.event.message)
  if document then
    discover(fields, nil, document, 1)
  end
  fields["@timestamp"], fields["@message"] = item.event.timestamp, item.event.message
  fields["@logStream"], fields["@ingestionTime"] = item.stream, item.event.ingested
  fields["@log"] = ("%s:%s"):format(world.data.account, group.name)
  fields["@ptr"] = pointer(group.name, item.stream, item.event)
  return { fields = fields, number = item.event.number }
end

-- The records of a query's groups and times, newest first, and their bytes.
local function records_of(world, query)
  local records, bytes = {}, 0
  for _, name in ipairs(query.groups) do
    local group = store.find(world, name)
    local times = { start_time = query.first * 1000, end_time = query.last * 1000 + 1000 }
    for _, item in ipairs(group and events.of_group(world, group, times) or {}) do
      records[#records + 1] = record_of(world, group, item)
      bytes = bytes + #item.event.message
    end
  end
  table.sort(records, function(a, b)
    local x, y = a.fields["@timestamp"], b.fields["@timestamp"]
    if x ~= y then
      return x > y
    end
    return a.number > b.number
  end)
  return records, bytes
end

-- ---- starting ------------------------------------------------------------------------------------

local function wanted_groups(world, input)
  local names = {}
  for _, name in ipairs { input.log_group_name } do
    names[#names + 1] = name
  end
  for _, list in ipairs { input.log_group_names or {}, input.log_group_identifiers or {} } do
    for _, name in ipairs(list) do
      names[#names + 1] = store.name_in(name)
    end
  end
  if #names == 0 then
    world:fail("InvalidParameterException", "You must specify at least one log group.") -- I
  end
  for _, name in ipairs(names) do
    if not store.find(world, name) then
      world:fail("ResourceNotFoundException", facts.texts.query_group:format(name, world.data.account))
    end
  end
  return names
end

local function check_age(world, names, last)
  for _, name in ipairs(names) do
    if last * 1000 + 999 >= store.find(world, name).created then
      return
    end
  end
  world:fail("MalformedQueryException", facts.texts.query_age)
end

local function parsed_query(world, text)
  local list, problem = parse(text)
  if not list then
    world:fail("MalformedQueryException", problem.message, { fields = { query_compile_error = {
      location = { start_char_offset = problem.first, end_char_offset = problem.last }, message = problem.message,
    } } })
  end
  return list
end

local function forget_old(world)
  local queries = world:state("logs").queries
  local oldest = store.milliseconds(world) - facts.durations.results * 1000
  while queries[1] and queries[1].created < oldest do
    table.remove(queries, 1)
  end
end

local function running(world)
  local count = 0
  for _, query in ipairs(world:state("logs").queries) do
    count = count + ((query.status == "Scheduled" or query.status == "Running") and 1 or 0)
  end
  return count
end

function operations.start_query(world, input)
  local names = wanted_groups(world, input)
  if input.query_language and input.query_language ~= "CWLI" then
    world:fail("InvalidParameterException", facts.texts.query_language:format(input.query_language))
  elseif input.start_time > input.end_time then
    world:fail("InvalidParameterException", facts.texts.times)
  end
  parsed_query(world, input.query_string)
  check_age(world, names, input.end_time)
  forget_old(world)
  if running(world) >= facts.limits.queries then
    world:fail("LimitExceededException", facts.texts.query_limit)
  end
  local query = {
    id = world:uuid(), text = input.query_string, groups = names, first = input.start_time, last = input.end_time,
    limit = input.limit or facts.limits.rows, status = "Scheduled", created = store.milliseconds(world),
  }
  table.insert(world:state("logs").queries, query)
  world:after(facts.durations.query_start, "logs.query_starts", { id = query.id })
  return { query_id = query.id }
end

local function find(world, id)
  for _, query in ipairs(world:state("logs").queries) do
    if query.id == id then
      return query
    end
  end
end

function handlers.query_starts(world, args)
  local query = find(world, args.id)
  if query and query.status == "Scheduled" then
    query.status = "Running"
    world:after(world:about(facts.durations.query, 0.4), "logs.query_ends", args)
  end
end

function handlers.query_ends(world, args)
  local query = find(world, args.id)
  if not query or query.status ~= "Running" then
    return
  end
  local records, bytes = records_of(world, query)
  local scanned = #records
  query.rows, query.matched = run.query(parse(query.text), records, query.limit)
  query.scanned, query.bytes, query.status = scanned, bytes, "Complete"
  query.took = store.milliseconds(world) - query.created
end

-- ---- asking --------------------------------------------------------------------------------------

local function required(world, id)
  local query = find(world, id)
  if not query then
    world:fail("ResourceNotFoundException", facts.texts.query_missing:format(id))
  end
  return query
end

function operations.get_query_results(world, input)
  local query = required(world, input.query_id)
  return {
    query_language = "CWLI", results = util.copy(query.rows or {}), status = query.status,
    statistics = {
      records_matched = (query.matched or 0) + 0.0, records_scanned = (query.scanned or 0) + 0.0,
      bytes_scanned = (query.bytes or 0) + 0.0, log_groups_scanned = #query.groups + 0.0,
      estimated_records_skipped = 0.0, estimated_bytes_skipped = 0.0,
    },
  }
end

function operations.stop_query(world, input)
  local query = required(world, input.query_id)
  if query.status ~= "Scheduled" and query.status ~= "Running" then
    world:fail("InvalidParameterException", facts.texts.query_ended:format(query.id))
  end
  query.status = "Cancelled"
  return { success = true }
end

function operations.describe_queries(world, input)
  local list, queries = {}, world:state("logs").queries
  for index = #queries, 1, -1 do
    local query = queries[index]
    if (not input.status or query.status == input.status)
      and (not input.log_group_name or util.holds(query.groups, input.log_group_name)) then
      list[#list + 1] = {
        query_language = "CWLI", query_id = query.id, query_string = query.text, status = query.status,
        create_time = query.created, log_group_name = query.groups[1], query_duration = query.took,
        bytes_scanned = query.bytes and query.bytes + 0.0,
      }
    end
  end
  local page, token = world:page(list, input.next_token, input.max_results or 1000)
  return { queries = page, next_token = token }
end

function operations.get_log_record(world, input)
  local text = base64.decode(input.log_record_pointer)
  local name, stream, number = (text or ""):match("^([^|]+)|(.+)|(%d+)$")
  local group = name and store.find(world, name)
  for _, item in ipairs(group and events.of_group(world, group, { log_stream_names = { stream } }) or {}) do
    if item.event.number == tonumber(number) then
      local shown = {}
      for key, value in util.sorted_pairs(record_of(world, group, item).fields) do
        shown[key] = type(value) == "string" and value or json.encode(value)
      end
      return { log_record = shown }
    end
  end
  world:fail("InvalidParameterException", facts.texts.record)
end

function operations.get_log_group_fields(world, input)
  local group = store.identified(world, input)
  local around = input.time or math.floor(world:now())
  local first = input.time and around - 480 or around - 900 -- D: 8 minutes around a time, or the last 15
  local items = events.of_group(world, group, { start_time = first * 1000, end_time = around * 1000 + 480000 })
  local counts = {}
  for _, item in ipairs(items) do
    for name in util.sorted_pairs(record_of(world, group, item).fields) do
      counts[name] = (counts[name] or 0) + (name ~= "@ptr" and 1 or 0)
    end
  end
  local list = {}
  for name, count in util.sorted_pairs(counts) do
    if count > 0 then
      list[#list + 1] = { name = name, percent = count * 100 // #items }
    end
  end
  return { log_group_fields = list }
end

return { operations = operations, handlers = handlers }
