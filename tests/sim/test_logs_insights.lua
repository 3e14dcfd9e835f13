--- Insights queries: the language that we have, and what is said of the rest.

local t = dofile "tests/sim/harness.lua"
local logs = require "sim.logs"

local lines = {
  '{"level":"error","ms":12,"path":"/x","a":{"b":[1,"deep"]},"ok":true,"none":null}',
  '{"level":"info","ms":30,"path":"/y"}',
  "GET /z took 55 ms from me",
}

local function world_of(messages)
  local world = t.world { seed = 1 }
  t.call(world, "logs", "create_log_group", { log_group_name = "/g" })
  for _, message in ipairs(messages or lines) do
    logs.put(world, "/g", "s", message)
    t.advance(world, 1)
  end
  t.advance(world, 10)
  return world
end

local function start(world, text, more)
  local now = math.floor(world:now())
  local input = { log_group_name = "/g", start_time = now - 1000, end_time = now, query_string = text }
  for key, value in pairs(more or {}) do
    input[key] = value
  end
  return world:call("logs", "start_query", input, t.caller)
end

local function results(world, text)
  local started = start(world, text)
  if started.error then
    error(text .. ": " .. started.error.message, 2)
  end
  t.advance(world, 10)
  local answer = t.call(world, "logs", "get_query_results", { query_id = started.output.query_id })
  t.equal(answer.status, "Complete")
  return answer
end

-- Rows as maps, without @ptr.
local function rows(world, text)
  local list = {}
  for index, row in ipairs(results(world, text).results) do
    list[index] = {}
    for _, cell in ipairs(row) do
      if cell.field ~= "@ptr" then
        list[index][cell.field] = cell.value
      end
    end
  end
  return list
end

for _, case in ipairs {
  { "fields level, ms * 2 as twice | filter level = 'error'", { { level = "error", twice = "24" } } },
  { "filter level != 'error' | stats count() as n", { { n = "2" } } },
  { "filter ms >= 30 | display path", { { path = "/y" } } },
  { "filter ms < 13 and level = 'error' or path = '/y' | sort ms | display path", { { path = "/x" }, { path = "/y" } } },
  { "filter not (ms > 13) and ispresent(ms) | display ms", { { ms = "12" } } },
  { "filter level in ['info', \"debug\"] | display ms", { { ms = "30" } } },
  { "filter level not in ['info'] and ms > 0 | display ms", { { ms = "12" } } },
  { "filter @message like 'took' | display strlen(@message)", { { ["strlen(@message)"] = "25" } } },
  { "filter @message like /(?i)^get.*MS/ | stats count(*) as n", { { n = "1" } } },
  { "filter @message =~ /\\d+ ms/ | stats count(*) as n", { { n = "1" } } },
  { "filter level not like /err|info/ | stats count(*) as n", { { n = "1" } } },
  { "fields a.b.0 as first, a.b.1 as second, ok | filter level = 'error'", { { first = "1", second = "deep", ok = "1" } } },
  { "parse @message 'GET * took * ms' as path2, took | filter took > 50 | display path2, took", { { path2 = "/z", took = "55" } } },
  { "sort ms desc | limit 1 | display ms", { { ms = "30" } } },
  { "stats avg(ms), min(ms), max(ms), sum(ms), pct(ms, 50)",
    { { ["avg(ms)"] = "21", ["min(ms)"] = "12", ["max(ms)"] = "30", ["sum(ms)"] = "42", ["pct(ms, 50)"] = "21" } } },
  { "stats count(*) as n by level | sort level desc",
    { { level = "info", n = "1" }, { level = "error", n = "1" }, { n = "1" } } },
  { "stats count(*) by bin(5m)", { { ["bin(5m)"] = "2026-01-01 00:00:00.000", ["count(*)"] = "3" } } },
  { "stats count_distinct(level) as kinds", { { kinds = "2" } } },
  { "filter level = 'none' | stats count(*) as n", { { n = "0" } } },
  { "filter level = 'none'", {} },
  { "# nothing but a remark\nfields ms # another\n| filter ms = 12", { { ms = "12" } } },
  { "fields toupper(level) as l, coalesce(none, path) as p, concat(path, '!', ms) as c | filter ms = 12",
    { { l = "ERROR", p = "/x", c = "/x!12" } } },
  { "fields 7 / 2 as half, 2 ^ 3 as cube, -ms as less, 7 % 4 as rest | filter ms = 12",
    { { half = "3.5", cube = "8", less = "-12", rest = "3" } } },
  { "fields `a.b.0` as q | filter ispresent(q)", { { q = "1" } } },
  { "filter ms > 0 | dedup nothing | stats count(*) as n", { { n = "1" } } },
} do
  local name = case[1]:gsub("\n", " ")
  t.test(name, function()
    t.equal(rows(world_of(), case[1]), case[2])
  end)
end

t.test("without fields a row has time, message and pointer, newest first", function()
  local world = world_of()
  local row = results(world, "limit 1").results[1]
  t.equal({ row[1].field, row[2].field, row[3].field }, { "@timestamp", "@message", "@ptr" })
  t.equal({ row[1].value, row[2].value }, { "2026-01-01 00:00:02.000", lines[3] })
  local record = t.call(world, "logs", "get_log_record", { log_record_pointer = row[3].value }).log_record
  t.equal({ record["@message"], record["@logStream"] }, { lines[3], "s" })
  t.raises("InvalidParameterException", function()
    return world:call("logs", "get_log_record", { log_record_pointer = "nonsense" }, t.caller)
  end)
end)

for text, word in pairs {
  ["pattern @message"] = "pattern", ["fields foo(x)"] = "foo", ["stats nope(ms)"] = "nope", ["fields x !"] = "!",
  ["filter ms >"] = "end of query", ["filter"] = "end of query", [""] = "end of query", ["limit 0"] = "0",
  ["limit ten"] = "ten", ["fields ms | | limit 1"] = "|", ["stats count(*) by bin(5x)"] = "5x",
  ["parse @message /(?<a>x)/"] = "regular expression", ["parse @message 'a * b *' as one"] = "2 stars for 1 names",
  ["filter @message like /(/"] = "a ( has no )", ["filter (ms > 1"] = "end of query", ["fields strlen()"] = "strlen",
  ["filter ms ! 2"] = "!", ["fields 'open"] = "'", ["sort ms sideways"] = "sideways", ["stats sum(*)"] = "*",
  ["filter " .. ("("):rep(60) .. "ms" .. (")"):rep(60)] = "too deeply",
} do
  t.test("refused, naming the word: " .. text:sub(1, 40), function()
    local answer = start(world_of(), text)
    local error = t.raises("MalformedQueryException", function() return answer end)
    t.contains(error.message, word)
    t.equal(error.fields.query_compile_error.message, error.message)
  end)
end

t.test("a query is scheduled, runs, and completes", function()
  local world = world_of()
  local id = start(world, "limit 1").output.query_id
  local function status()
    return t.call(world, "logs", "get_query_results", { query_id = id }).status
  end
  t.equal(status(), "Scheduled")
  t.advance(world, 1)
  t.equal(status(), "Running")
  t.advance(world, 5)
  t.equal(status(), "Complete")
  local answer = t.call(world, "logs", "get_query_results", { query_id = id })
  t.equal({ answer.statistics.records_matched, answer.statistics.records_scanned }, { 3.0, 3.0 })
  t.equal(t.call(world, "logs", "describe_queries", { status = "Complete" }).queries[1].query_id, id)
  t.raises("InvalidParameterException", function()
    return world:call("logs", "stop_query", { query_id = id }, t.caller)
  end)
end)

t.test("a query can be stopped, and only thirty run at once", function()
  local world = world_of()
  local id = start(world, "limit 1").output.query_id
  t.equal(t.call(world, "logs", "stop_query", { query_id = id }).success, true)
  t.advance(world, 10)
  t.equal(t.call(world, "logs", "get_query_results", { query_id = id }).status, "Cancelled")
  for _ = 1, 30 do
    t.truthy(start(world, "limit 1").output)
  end
  t.equal(start(world, "limit 1").error.code, "LimitExceededException")
end)

t.test("results are forgotten after a week", function()
  local world = world_of()
  local id = start(world, "limit 1").output.query_id
  t.advance(world, 8 * 86400)
  t.truthy(start(world, "limit 1").output)
  t.raises("ResourceNotFoundException", function()
    return world:call("logs", "get_query_results", { query_id = id }, t.caller)
  end)
end)

t.test("groups and times are checked", function()
  local world = world_of()
  t.equal(start(world, "limit 1", { log_group_name = "/no" }).error.code, "ResourceNotFoundException")
  t.equal(start(world, "limit 1", { start_time = 20, end_time = 10 }).error.code, "InvalidParameterException")
  t.equal(start(world, "limit 1", { start_time = 10, end_time = 20 }).error.code, "MalformedQueryException")
  t.equal(start(world, "SELECT 1", { query_language = "SQL" }).error.code, "InvalidParameterException")
  t.raises("ResourceNotFoundException", function()
    return world:call("logs", "get_query_results", { query_id = "no" }, t.caller)
  end)
end)

t.test("the fields of a group are found in its JSON", function()
  local world = world_of()
  local found = {}
  for _, field in ipairs(t.call(world, "logs", "get_log_group_fields", { log_group_name = "/g" }).log_group_fields) do
    found[field.name] = field.percent
  end
  t.equal({ found["@message"], found["level"], found["a.b.1"] }, { 100, 66, 33 })
end)

t.finish()
