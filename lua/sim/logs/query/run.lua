--- Carries out an Insights query over records. A record is {fields = map of name to value, hidden = what
-- identifies it}; results are lists of {field, value} as the service gives them.

local dates = require "sim.dates"
local functions = require "sim.logs.query.functions"
local regex = require "sim.logs.regex"

local run = {}

-- ---- expressions ---------------------------------------------------------------------------------

local evaluate

local arithmetic = {
  ["+"] = function(a, b) return a + b end, ["-"] = function(a, b) return a - b end,
  ["*"] = function(a, b) return a * b end,
  ["/"] = function(a, b) if b ~= 0 then return a / b end end,
  ["%"] = function(a, b) if b ~= 0 then return a % b end end,
  ["^"] = function(a, b) return a ^ b end,
}

local orders = {
  ["<"] = function(a, b) return a < b end, [">"] = function(a, b) return a > b end,
  ["<="] = function(a, b) return a <= b end, [">="] = function(a, b) return a >= b end,
}

local function is_true(value)
  return value ~= nil and value ~= false and value ~= 0 and value ~= ""
end

-- Numbers are equal as numbers, everything else as text.
local function is_equal(a, b)
  if a == nil or b == nil then
    return a == b
  end
  local x, y = functions.number(a), functions.number(b)
  if x and y then
    return x == y
  end
  return functions.show(a) == functions.show(b)
end

local function is_ordered(operator, a, b)
  local x, y = functions.number(a), functions.number(b)
  if x and y then
    return orders[operator](x, y)
  elseif type(a) == "string" and type(b) == "string" then
    return orders[operator](a, b)
  end
  return false
end

local function binary(expression, record)
  local operator = expression.operator
  if operator == "and" then
    return is_true(evaluate(expression.a, record)) and is_true(evaluate(expression.b, record))
  elseif operator == "or" then
    return is_true(evaluate(expression.a, record)) or is_true(evaluate(expression.b, record))
  end
  local a, b = evaluate(expression.a, record), evaluate(expression.b, record)
  if operator == "=" then
    return a ~= nil and is_equal(a, b)
  elseif operator == "!=" then
    return not is_equal(a, b)
  elseif orders[operator] then
    return is_ordered(operator, a, b)
  end
  local x, y = functions.number(a), functions.number(b)
  return x and y and arithmetic[operator](x, y) or nil
end

local kinds = {}

function kinds.value(expression)
  return expression.value
end

function kinds.field(expression, record)
  return record.fields[expression.name]
end

function kinds.bin(expression, record)
  local time = record.fields["@timestamp"]
  return time and time // expression.period * expression.period
end

function kinds.call(expression, record)
  local values, count = {}, #expression.arguments
  for index = 1, count do
    values[index] = evaluate(expression.arguments[index], record)
  end
  return functions.of_record[expression.name][3](table.unpack(values, 1, count))
end

function kinds.unary(expression, record)
  local value = evaluate(expression.a, record)
  if expression.operator == "not" then
    return not is_true(value)
  end
  local number = functions.number(value)
  return number and -number
end

kinds.binary = binary

kinds["in"] = function(expression, record)
  local value = evaluate(expression.a, record)
  for _, item in ipairs(expression.list) do
    if value ~= nil and is_equal(value, evaluate(item, record)) then
      return true
    end
  end
  return false
end

function kinds.like(expression, record)
  local value = evaluate(expression.a, record)
  local text = value ~= nil and functions.show(value)
  if not text then
    return false
  elseif expression.regex then
    return regex.find(expression.regex, text)
  end
  return text:find(expression.text, 1, true) ~= nil
end

function evaluate(expression, record)
  return kinds[expression.kind](expression, record)
end

-- ---- commands ------------------------------------------------------------------------------------
-- A table of the run: {records, columns = names to show or nil, times = names whose values are times,
-- grouped = whether the records are no longer log events}.

local commands = {}

-- Times are shown as dates, also under another name.
local function note_time(state, item)
  local kind, name = item.expression.kind, item.expression.name
  if kind == "bin" or kind == "field" and (name == "@timestamp" or name == "@ingestionTime") then
    state.times[item.name] = true
  end
end

local function set_columns(state, list, keep)
  state.columns = keep and state.columns or {}
  for _, item in ipairs(list) do
    state.columns[#state.columns + 1] = item.name
    note_time(state, item)
    for _, record in ipairs(state.records) do
      if item.expression.kind ~= "field" or item.expression.name ~= item.name then
        record.fields[item.name] = evaluate(item.expression, record)
      end
    end
  end
end

function commands.fields(state, command)
  set_columns(state, command.list, true)
end

function commands.display(state, command)
  set_columns(state, command.list, false)
end

function commands.filter(state, command)
  local kept = {}
  for _, record in ipairs(state.records) do
    if is_true(evaluate(command.condition, record)) then
      kept[#kept + 1] = record
    end
  end
  state.records = kept
end

-- Numbers before texts; what is not there comes last, whichever way.
local function compare(a, b)
  local x, y = functions.number(a), functions.number(b)
  if x and y then
    return x < y and -1 or x > y and 1 or 0
  elseif x or y then
    return x and -1 or 1
  end
  local s, r = functions.show(a), functions.show(b)
  return s < r and -1 or s > r and 1 or 0
end

local function is_before(a, b)
  for index, way in ipairs(a.ways) do
    local x, y = a.keys[index], b.keys[index]
    if (x == nil) ~= (y == nil) then
      return y == nil
    elseif x ~= nil then
      local order = compare(x, y)
      if order ~= 0 then
        return (order < 0) ~= way
      end
    end
  end
  return a.place < b.place
end

function commands.sort(state, command)
  local items, ways = {}, {}
  for index, key in ipairs(command.list) do
    ways[index] = key.down
  end
  for place, record in ipairs(state.records) do
    local keys = {}
    for index, key in ipairs(command.list) do
      keys[index] = evaluate(key.expression, record)
    end
    items[place] = { record = record, keys = keys, ways = ways, place = place }
  end
  table.sort(items, is_before)
  for place, item in ipairs(items) do
    state.records[place] = item.record
  end
end

function commands.limit(state, command)
  state.records = table.move(state.records, 1, math.min(command.count, #state.records), 1, {})
end

-- The values of expressions as one text, to tell groups apart.
local function key_of(list, record)
  local parts = {}
  for index, item in ipairs(list) do
    local value = evaluate(item.expression, record)
    local text = value ~= nil and functions.show(value) or nil
    parts[index] = text and ("%d:%s"):format(#text, text) or "-"
  end
  return table.concat(parts, ",")
end

function commands.dedup(state, command)
  local seen, kept = {}, {}
  for _, record in ipairs(state.records) do
    local key = key_of(command.list, record)
    if not seen[key] then
      seen[key], kept[#kept + 1] = true, record
    end
  end
  state.records = kept
end

function commands.parse(state, command)
  for _, record in ipairs(state.records) do
    local value = record.fields[command.field]
    local text = value ~= nil and functions.show(value) or ""
    local start = select(2, text:find(command.pieces[1], 1, true))
    local found = {}
    for index, name in ipairs(command.names) do
      local piece = command.pieces[index + 1]
      local first, last = nil, nil
      if start and piece == "" then
        first, last = #text + 1, #text
      elseif start then
        first, last = text:find(piece, start + 1, true)
      end
      found[index] = { name, first and text:sub(start + 1, first - 1) }
      start = first and last
    end
    for _, item in ipairs(start and found or {}) do
      record.fields[item[1]] = item[2]
    end
  end
end

local function new_group(state, command, record)
  local group = { fields = {}, lists = {} }
  for _, item in ipairs(command.by) do
    group.fields[item.name] = evaluate(item.expression, record)
    note_time(state, item)
  end
  for index in ipairs(command.list) do
    group.lists[index] = {}
  end
  return group
end

local function collect(command, group, record)
  for index, aggregate in ipairs(command.list) do
    local value = true
    if aggregate.expression then
      value = evaluate(aggregate.expression, record)
    end
    if value ~= nil then
      table.insert(group.lists[index], value)
    end
  end
end

function commands.stats(state, command)
  local groups, order = {}, {}
  for _, record in ipairs(state.records) do
    local key = key_of(command.by, record)
    if not groups[key] then
      groups[key] = new_group(state, command, record)
      order[#order + 1] = groups[key]
    end
    collect(command, groups[key], record)
  end
  if #order == 0 and #command.by == 0 then
    order[1] = new_group(state, command, nil)
  end
  for _, group in ipairs(order) do
    for index, aggregate in ipairs(command.list) do
      local value = functions.over_many[aggregate.of][2](group.lists[index], aggregate.percent)
      group.fields[aggregate.name] = value
    end
  end
  state.records, state.columns, state.grouped = order, {}, true
  for _, list in ipairs { command.by, command.list } do
    for _, item in ipairs(list) do
      state.columns[#state.columns + 1] = item.name
    end
  end
end

-- ---- results -------------------------------------------------------------------------------------

local function shown(state, name, value)
  if (name == "@timestamp" or name == "@ingestionTime" or state.times[name]) and type(value) == "number" then
    return dates.insights(value / 1000)
  end
  return functions.show(value)
end

local function row_of(state, record)
  local row = {}
  for _, name in ipairs(state.columns or { "@timestamp", "@message" }) do
    local value = record.fields[name]
    if value ~= nil then
      row[#row + 1] = { field = name, value = shown(state, name, value) }
    end
  end
  if not state.grouped then
    row[#row + 1] = { field = "@ptr", value = record.fields["@ptr"] }
  end
  return row
end

--- Runs commands over records that are in order, newest first. Returns rows and how many records passed the
-- filters.
function run.query(list, records, limit)
  local state, matched = { records = records, times = {} }, nil
  for _, command in ipairs(list) do
    if command.kind == "stats" or command.kind == "limit" or command.kind == "dedup" then
      matched = matched or #state.records
    end
    commands[command.kind](state, command)
  end
  local rows = {}
  for index = 1, math.min(limit, #state.records) do
    rows[index] = row_of(state, state.records[index])
  end
  return rows, matched or #state.records
end

return run
