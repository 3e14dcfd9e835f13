--- Reads an Insights query into a list of commands. What we do not have is refused by its name.
--
-- Expressions: {kind = "value", value}, {kind = "field", name}, {kind = "call", name, arguments},
-- {kind = "bin", period}, {kind = "unary", operator, a}, {kind = "binary", operator, a, b},
-- {kind = "in", a, list}, {kind = "like", a, regex | text}.

local facts = require "sim.facts.logs"
local functions = require "sim.logs.query.functions"
local regex = require "sim.logs.regex"
local words = require "sim.logs.query.words"

local max_depth = 40

-- A reader is {source, words, at, depth}.
local function peek(reader)
  return reader.words[reader.at]
end

local function advance(reader)
  local word = peek(reader)
  reader.at = reader.at + 1
  return word
end

local function is_mark(reader, text)
  local word = peek(reader)
  return word.kind == "mark" and word.text == text
end

local function is_keyword(reader, text)
  local word = peek(reader)
  return word.kind == "name" and not word.quoted and word.text:lower() == text
end

local function take_mark(reader, text)
  return is_mark(reader, text) and advance(reader) ~= nil
end

local function take_keyword(reader, text)
  return is_keyword(reader, text) and advance(reader) ~= nil
end

local function want_mark(reader, text)
  if not take_mark(reader, text) then
    words.refuse(peek(reader))
  end
end

local function want(reader, kind)
  if peek(reader).kind ~= kind then
    words.refuse(peek(reader))
  end
  return advance(reader)
end

-- The text of the query from a word to the one before the reader's place: the name of a column.
local function source_of(reader, first)
  local after = reader.words[reader.at].at
  local text = reader.source:sub(reader.words[first].at, after - 1)
  return (text:gsub("#[^\n]*", ""):gsub("%s+$", ""))
end

local function list_of(reader, read)
  local list = {}
  repeat
    list[#list + 1] = read(reader)
  until not take_mark(reader, ",")
  return list
end

-- ---- expressions ---------------------------------------------------------------------------------

local expression

local function compiled(word)
  local program, problem = regex.compile(word.text, true)
  if not program then
    words.refuse(word, ("The regular expression /%s/ cannot be used: %s"):format(word.text, problem))
  end
  return program
end

local function read_bin(reader)
  local word = advance(reader)
  local period = word.kind == "duration" and functions.period(word.text)
  if not period then
    words.refuse(word)
  end
  want_mark(reader, ")")
  return { kind = "bin", period = period }
end

local function read_call(reader, name)
  local lower = name.text:lower()
  if lower == "bin" then
    return read_bin(reader)
  end
  local known = functions.of_record[lower]
  if not known then
    words.refuse(name)
  end
  local arguments = is_mark(reader, ")") and {} or list_of(reader, expression)
  want_mark(reader, ")")
  if #arguments < known[1] or #arguments > known[2] then
    words.refuse(name, ("%s takes %d to %d arguments, not %d"):format(name.text, known[1], known[2], #arguments))
  end
  return { kind = "call", name = lower, arguments = arguments }
end

local function primary(reader)
  local word = advance(reader)
  if word.kind == "number" then
    return { kind = "value", value = tonumber(word.text) }
  elseif word.kind == "text" then
    return { kind = "value", value = word.text }
  elseif word.kind == "mark" and word.text == "(" then
    local inner = expression(reader)
    want_mark(reader, ")")
    return inner
  elseif word.kind == "mark" and word.text == "-" then
    return { kind = "unary", operator = "-", a = primary(reader) }
  elseif word.kind ~= "name" then
    words.refuse(word)
  elseif not word.quoted and take_mark(reader, "(") then
    return read_call(reader, word)
  end
  return { kind = "field", name = word.text }
end

-- Joins operands by operators of one rank, from the left.
local function joined(reader, operators, operand)
  local a = operand(reader)
  while true do
    local found
    for _, operator in ipairs(operators) do
      if is_mark(reader, operator) then
        found = operator
      end
    end
    if not found then
      return a
    end
    advance(reader)
    a = { kind = "binary", operator = found, a = a, b = operand(reader) }
  end
end

local function powers(reader)
  return joined(reader, { "^" }, primary)
end

local function products(reader)
  return joined(reader, { "*", "/", "%" }, powers)
end

local function sums(reader)
  return joined(reader, { "+", "-" }, products)
end

local function read_like(reader, a)
  if peek(reader).kind == "regex" then
    return { kind = "like", a = a, regex = compiled(advance(reader)) }
  end
  return { kind = "like", a = a, text = want(reader, "text").text }
end

local function read_in(reader, a)
  want_mark(reader, "[")
  local list = list_of(reader, sums)
  want_mark(reader, "]")
  return { kind = "in", a = a, list = list }
end

local function comparison(reader)
  local a = sums(reader)
  if take_keyword(reader, "not") then
    local inner
    if take_keyword(reader, "like") then
      inner = read_like(reader, a)
    elseif take_keyword(reader, "in") then
      inner = read_in(reader, a)
    else
      words.refuse(peek(reader))
    end
    return { kind = "unary", operator = "not", a = inner }
  elseif take_keyword(reader, "like") or take_mark(reader, "=~") then
    return read_like(reader, a)
  elseif take_keyword(reader, "in") then
    return read_in(reader, a)
  end
  for _, operator in ipairs { "!=", "<=", ">=", "=", "<", ">" } do
    if take_mark(reader, operator) then
      return { kind = "binary", operator = operator, a = a, b = sums(reader) }
    end
  end
  return a
end

local function negation(reader)
  if take_keyword(reader, "not") then
    return { kind = "unary", operator = "not", a = negation(reader) }
  end
  return comparison(reader)
end

local function conjunction(reader)
  local a = negation(reader)
  while take_keyword(reader, "and") do
    a = { kind = "binary", operator = "and", a = a, b = negation(reader) }
  end
  return a
end

function expression(reader)
  reader.depth = reader.depth + 1
  if reader.depth > max_depth then
    words.refuse(peek(reader), "The query is nested too deeply.")
  end
  local a = conjunction(reader)
  while take_keyword(reader, "or") do
    a = { kind = "binary", operator = "or", a = a, b = conjunction(reader) }
  end
  reader.depth = reader.depth - 1
  return a
end

-- ---- commands ------------------------------------------------------------------------------------

local commands = {}

-- "expression", "expression as name": {name, expression}
local function named_expression(reader)
  local first = reader.at
  local value = expression(reader)
  local name = value.kind == "field" and value.name or source_of(reader, first)
  if take_keyword(reader, "as") then
    name = want(reader, "name").text
  end
  return { name = name, expression = value }
end

function commands.fields(reader)
  return { kind = "fields", list = list_of(reader, named_expression) }
end

function commands.display(reader)
  return { kind = "display", list = list_of(reader, named_expression) }
end

function commands.filter(reader)
  return { kind = "filter", condition = expression(reader) }
end

function commands.sort(reader)
  return { kind = "sort", list = list_of(reader, function()
    local key = named_expression(reader)
    key.down = take_keyword(reader, "desc")
    if not key.down then
      take_keyword(reader, "asc")
    end
    return key
  end) }
end

function commands.limit(reader)
  local word = want(reader, "number")
  local count = math.tointeger(tonumber(word.text))
  if not count or count < 1 or count > 10000 then
    words.refuse(word)
  end
  return { kind = "limit", count = count }
end

function commands.dedup(reader)
  return { kind = "dedup", list = list_of(reader, named_expression) }
end

local function read_aggregate(reader)
  local first, name = reader.at, want(reader, "name")
  local known = functions.over_many[name.text:lower()]
  if not known then
    words.refuse(name)
  end
  want_mark(reader, "(")
  local aggregate = { of = name.text:lower() }
  if not take_mark(reader, "*") and not is_mark(reader, ")") then
    aggregate.expression = expression(reader)
  elseif aggregate.of ~= "count" then
    words.refuse(reader.words[reader.at - 1])
  end
  if known[1] == 2 then
    want_mark(reader, ",")
    aggregate.percent = tonumber(want(reader, "number").text)
  end
  want_mark(reader, ")")
  aggregate.name = source_of(reader, first)
  if take_keyword(reader, "as") then
    aggregate.name = want(reader, "name").text
  end
  return aggregate
end

function commands.stats(reader)
  local command = { kind = "stats", list = list_of(reader, read_aggregate), by = {} }
  if take_keyword(reader, "by") then
    command.by = list_of(reader, named_expression)
  end
  return command
end

-- A glob: every star is a name. Texts between stars stand as they are.
local function read_glob(reader, word)
  local pieces, at = {}, 1
  while true do
    local star = word.text:find("*", at, true)
    pieces[#pieces + 1] = word.text:sub(at, (star or #word.text + 1) - 1)
    if not star then
      break
    end
    at = star + 1
  end
  if not take_keyword(reader, "as") then
    words.refuse(peek(reader))
  end
  local names = list_of(reader, function()
    return want(reader, "name").text
  end)
  if #names ~= #pieces - 1 then
    words.refuse(word, ("The pattern %s has %d stars for %d names."):format(word.text, #pieces - 1, #names))
  end
  return pieces, names
end

function commands.parse(reader)
  local field = "@message"
  if peek(reader).kind == "name" then
    field = advance(reader).text
  end
  if peek(reader).kind == "regex" then
    words.refuse(peek(reader), facts.texts.query_parse)
  end
  local pieces, names = read_glob(reader, want(reader, "text"))
  return { kind = "parse", field = field, pieces = pieces, names = names }
end

--- Reads a query: a list of commands, or nil and {message, first, last}.
return function(source)
  local ok, result = pcall(function()
    local reader = { source = source, words = words.read(source), at = 1, depth = 0 }
    local list = {}
    if peek(reader).kind == "end" then
      words.refuse(peek(reader))
    end
    repeat
      local word = advance(reader)
      local read = word.kind == "name" and not word.quoted and commands[word.text:lower()]
      if not read then
        words.refuse(word)
      end
      list[#list + 1] = read(reader)
    until not take_mark(reader, "|")
    if peek(reader).kind ~= "end" then
      words.refuse(peek(reader))
    end
    return list
  end)
  if ok then
    return result
  elseif type(result) == "table" and result.query_problem then
    return nil, { message = result.query_problem, first = result.first, last = result.last }
  end
  error(result, 0)
end
