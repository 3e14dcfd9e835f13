--- Filter patterns, as FilterLogEvents and metric filters share them: terms, JSON conditions, fields
-- between spaces, regular expressions between percent signs.
--
--     local parsed, problem = pattern.parse '{ $.level = "error" }'
--     pattern.matches(parsed, message)

local facts = require "sim.facts.logs"
local json = require "sim.json"
local regex = require "sim.logs.regex"

local pattern = {}

local max_depth = 30

-- A reader is {text, at, regexes}. What is wrong is raised as {pattern_problem}.
local function fail(message)
  error({ pattern_problem = message }, 0)
end

local function bad_term(term)
  fail(facts.texts.term:format(term))
end

local function skip(reader)
  reader.at = reader.text:find("%S", reader.at) or #reader.text + 1
end

local function looking_at(reader, text)
  return reader.text:sub(reader.at, reader.at + #text - 1) == text
end

local function take(reader, text)
  if looking_at(reader, text) then
    reader.at = reader.at + #text
    return true
  end
  return false
end

-- ---- parts that all forms share ------------------------------------------------------------------

-- Text between double quotes; a backslash takes the next character as it is.
local function read_quoted(reader)
  local parts, at = {}, reader.at + 1
  while true do
    local stop = reader.text:find('["\\]', at)
    if not stop then
      fail(facts.texts.pattern)
    end
    parts[#parts + 1] = reader.text:sub(at, stop - 1)
    if reader.text:sub(stop, stop) == '"' then
      reader.at = stop + 1
      return table.concat(parts)
    end
    local escaped = reader.text:sub(stop + 1, stop + 1)
    -- A star behind a backslash is meant as a star: keep the backslash for the matcher of strings.
    parts[#parts + 1] = (escaped == "*" and "\\" or "") .. escaped
    at = stop + 2
  end
end

local function read_regex(reader)
  local text = reader.text:match("^%%([^%%]+)%%", reader.at)
  if not text then
    bad_term(reader.text:sub(reader.at):match("^%S+"))
  end
  local wrong = text:match("[^%w_#=@/;,:^$?%[%]{}|\\*+.%s-]")
  if wrong then
    fail(facts.texts.regex:format(text, ("'%s' is not supported"):format(wrong)))
  end
  local program, problem = regex.compile(text)
  if not program then
    fail(facts.texts.regex:format(text, problem))
  end
  reader.regexes = reader.regexes + 1
  if reader.regexes > 2 then
    fail("A filter pattern can hold at most 2 regular expressions.") -- D for the rule, I for the text
  end
  reader.at = reader.at + #text + 2
  return program
end

-- Whether text is what `wanted` says, in which * stands for any text.
local function text_fits(text, wanted)
  local plain = wanted:gsub("\\%*", "\0"):gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0")
  plain = plain:gsub("%*", ".*"):gsub("\0", "%%*")
  return text:find("^" .. plain .. "$") ~= nil
end

local function as_number(text)
  return text:find("^[+-]?%.?%d") and tonumber(text) or nil
end

local comparisons = {
  ["="] = function(a, b) return a == b end, ["!="] = function(a, b) return a ~= b end,
  ["<"] = function(a, b) return a < b end, [">"] = function(a, b) return a > b end,
  ["<="] = function(a, b) return a <= b end, [">="] = function(a, b) return a >= b end,
}

local function read_operator(reader)
  for _, operator in ipairs { "!=", "<=", ">=", "=", "<", ">" } do
    if take(reader, operator) then
      return operator
    end
  end
end

-- The right side of a comparison: {number = n} or {text = t} or {regex = program}. Only = and != take texts.
local function read_value(reader, operator, ends)
  skip(reader)
  local value, shown
  if looking_at(reader, '"') then
    local start = reader.at
    value = { text = read_quoted(reader) }
    shown = reader.text:sub(start, reader.at - 1)
  elseif looking_at(reader, "%") then
    value, shown = { regex = read_regex(reader) }, "%"
  else
    shown = reader.text:match("^[^%s" .. ends .. "]+", reader.at)
    if not shown then
      fail(facts.texts.pattern)
    elseif shown:find("[^%w_%-%.%*+:/@#\128-\255]") then
      bad_term(shown:match("[^%w_%-%.%*+:/@#\128-\255]"))
    end
    reader.at = reader.at + #shown
    value = { number = as_number(shown), text = shown }
  end
  if operator ~= "=" and operator ~= "!=" and not value.number then
    bad_term(shown)
  end
  return value
end

-- Compares what a line has (a number, a text) with the right side of a condition.
local function compare(operator, found, value)
  local number = type(found) == "number" and found or type(found) == "string" and as_number(found) or nil
  if value.regex then
    local fits = type(found) ~= "table" and regex.find(value.regex, tostring(found))
    return fits == (operator == "=")
  elseif value.number and number then
    return comparisons[operator](number, value.number)
  elseif operator ~= "=" and operator ~= "!=" then
    return false
  end
  local fits = type(found) == "string" and text_fits(found, value.text)
  return fits == (operator == "=")
end

-- Conditions joined by && and ||, with parentheses; `leaf` reads one.
local function read_joined(reader, leaf, depth)
  if depth > max_depth then
    fail(facts.texts.pattern)
  end
  local function primary()
    skip(reader)
    if not take(reader, "(") then
      return leaf(reader)
    end
    local inner = read_joined(reader, leaf, depth + 1)
    skip(reader)
    if not take(reader, ")") then
      fail(facts.texts.pattern)
    end
    return inner
  end
  local function all()
    local list = { kind = "all", primary() }
    skip(reader)
    while take(reader, "&&") do
      list[#list + 1] = primary()
      skip(reader)
    end
    return #list == 1 and list[1] or list
  end
  local list = { kind = "any", all() }
  while take(reader, "||") do
    list[#list + 1] = all()
  end
  return #list == 1 and list[1] or list
end

-- ---- terms ---------------------------------------------------------------------------------------

local function read_term(reader)
  local mark = reader.text:match("^[?-]", reader.at)
  reader.at = reader.at + (mark and 1 or 0)
  local term = { mark = mark }
  if looking_at(reader, '"') then
    term.text = read_quoted(reader):gsub("\\%*", "*")
  elseif looking_at(reader, "%") then
    term.regex = read_regex(reader)
  else
    local word = reader.text:match("^%S+", reader.at)
    local wrong = not word and mark or word:match("[^%w_\128-\255]")
    if wrong then
      bad_term(wrong)
    end
    term.text, reader.at = word, reader.at + #word
  end
  if reader.text:find("^%S", reader.at) then
    bad_term(reader.text:sub(reader.at, reader.at))
  end
  return term
end

local function read_terms(reader)
  local terms = { form = "terms" }
  skip(reader)
  while reader.at <= #reader.text do
    terms[#terms + 1] = read_term(reader)
    skip(reader)
  end
  return terms
end

-- All plain terms, none of the refused ones and, when there are any, one of the optional ones.
local function match_terms(terms, message)
  local optional, found = false, false
  for _, term in ipairs(terms) do
    local here
    if term.regex then
      here = regex.find(term.regex, message)
    else
      here = message:find(term.text, 1, true) ~= nil
    end
    if term.mark == "?" then
      optional, found = true, found or here
    elseif here == (term.mark == "-") then
      return false
    end
  end
  return found or not optional
end

-- ---- JSON ----------------------------------------------------------------------------------------

-- $.a.b[0]['c d'] as a list of keys; list places count from 1.
local function read_selector(reader)
  if not take(reader, "$") then
    fail(facts.texts.pattern)
  end
  local path, start = {}, reader.at
  while true do
    local text, at = reader.text, reader.at
    local name, after = text:match("^%.([%w_@%-\128-\255]+)()", at)
    if not name then
      name, after = text:match("^%['([^']*)'%]()", at)
    end
    if not name then
      name, after = text:match("^%[(%d+)%]()", at)
      name = name and tonumber(name) + 1
    end
    if not name then
      break
    end
    path[#path + 1], reader.at = name, after
  end
  if #path == 0 then
    fail(facts.texts.pattern)
  end
  return path, "$" .. reader.text:sub(start, reader.at - 1)
end

local function read_word(reader, word)
  local found = reader.text:match("^%a+", reader.at)
  if found and found:upper() == word then
    reader.at = reader.at + #found
    skip(reader)
    return true
  end
  return false
end

local function json_leaf(reader)
  local path = read_selector(reader)
  skip(reader)
  if read_word(reader, "IS") then
    for _, word in ipairs { "NULL", "TRUE", "FALSE" } do
      if read_word(reader, word) then
        return { kind = "is", path = path, what = word }
      end
    end
    fail(facts.texts.pattern)
  elseif read_word(reader, "NOT") then
    if not read_word(reader, "EXISTS") then
      fail(facts.texts.pattern)
    end
    return { kind = "is", path = path, what = "ABSENT" }
  end
  local operator = read_operator(reader)
  if not operator then
    fail(facts.texts.pattern)
  end
  return { kind = "compare", path = path, operator = operator, value = read_value(reader, operator, "()&|}") }
end

local function read_json(reader)
  reader.at = reader.at + 1
  local condition = read_joined(reader, json_leaf, 1)
  skip(reader)
  if not take(reader, "}") then
    fail(facts.texts.pattern)
  end
  skip(reader)
  if reader.at <= #reader.text then
    fail(facts.texts.pattern)
  end
  return { form = "json", condition = condition }
end

-- What a document has at a path, or nil.
local function at_path(value, path)
  for _, key in ipairs(path) do
    if type(value) ~= "table" or value == json.null then
      return nil
    end
    value = value[key]
  end
  return value
end

local function holds_json(condition, document)
  if condition.kind == "all" or condition.kind == "any" then
    for _, part in ipairs(condition) do
      if holds_json(part, document) == (condition.kind == "any") then
        return condition.kind == "any"
      end
    end
    return condition.kind == "all"
  end
  local found = at_path(document, condition.path)
  if condition.kind == "compare" then
    return found ~= nil and found ~= json.null and compare(condition.operator, found, condition.value)
  elseif condition.what == "ABSENT" then
    return found == nil
  elseif condition.what == "NULL" then
    return found == json.null
  end
  return found == (condition.what == "TRUE")
end

-- ---- fields between spaces -----------------------------------------------------------------------

-- "name", "name = 4*", "status = 404 || status = 410": a condition without a name is about this field.
local function field_leaf(reader)
  skip(reader)
  local name = reader.text:match("^[%w_$\128-\255%-]+", reader.at)
  reader.at = reader.at + #(name or "")
  skip(reader)
  local operator = read_operator(reader)
  if not operator then
    if not name then
      fail(facts.texts.pattern)
    end
    return { kind = "name", name = name }
  end
  return { kind = "compare", name = name, operator = operator, value = read_value(reader, operator, ",%]()&|") }
end

local function read_fields(reader)
  local fields = { form = "fields" }
  reader.at = reader.at + 1
  repeat
    skip(reader)
    if take(reader, "...") then
      if fields.gap then
        fail(facts.texts.pattern)
      end
      fields.gap = #fields
    else
      fields[#fields + 1] = read_joined(reader, field_leaf, 1)
    end
    skip(reader)
  until not take(reader, ",")
  if not take(reader, "]") then
    fail(facts.texts.pattern)
  end
  skip(reader)
  if reader.at <= #reader.text then
    fail(facts.texts.pattern)
  end
  return fields
end

-- A line's fields: between spaces, and as one what stands in [ ] or in quotes.
local function split_line(message)
  local list, at = {}, 1
  while true do
    at = message:find("%S", at)
    if not at then
      return list
    end
    local inner, after = message:match("^%[([^%]]*)%]()", at)
    if not inner then
      inner, after = message:match('^"([^"]*)"()', at)
    end
    if not inner then
      inner, after = message:match("^(%S+)()", at)
    end
    list[#list + 1], at = inner, after
  end
end

local function holds_field(condition, text)
  if condition.kind == "all" or condition.kind == "any" then
    for _, part in ipairs(condition) do
      if holds_field(part, text) == (condition.kind == "any") then
        return condition.kind == "any"
      end
    end
    return condition.kind == "all"
  elseif condition.kind == "name" then
    return true
  end
  return compare(condition.operator, text, condition.value)
end

local function match_fields(fields, message)
  local line = split_line(message)
  if #line < #fields or #line > #fields and not fields.gap then
    return false
  end
  for index, condition in ipairs(fields) do
    local behind = fields.gap and index > fields.gap
    if not holds_field(condition, line[behind and #line - #fields + index or index]) then
      return false
    end
  end
  return true
end

local function name_of(condition)
  return condition.name or condition[1] and name_of(condition[1])
end

-- ---- the way in ----------------------------------------------------------------------------------

--- Reads a pattern; nil and the text of the service's error when it is wrong.
function pattern.parse(text)
  local reader = { text = text, at = 1, regexes = 0 }
  skip(reader)
  local ok, result = pcall(function()
    if looking_at(reader, "{") then
      return read_json(reader)
    elseif looking_at(reader, "[") then
      return read_fields(reader)
    end
    return read_terms(reader)
  end)
  if ok then
    return result
  elseif type(result) == "table" and result.pattern_problem then
    return nil, result.pattern_problem
  end
  error(result, 0)
end

--- Whether a message fits a pattern that was read.
function pattern.matches(parsed, message)
  if parsed.form == "terms" then
    return match_terms(parsed, message)
  elseif parsed.form == "fields" then
    return match_fields(parsed, message)
  end
  local document = json.object_of(message)
  return document ~= nil and holds_json(parsed.condition, document)
end

--- The named fields of a message that fits: "$name" to text for fields between spaces, else empty.
function pattern.extract(parsed, message)
  local values = {}
  if parsed.form == "fields" then
    local line = split_line(message)
    for index, condition in ipairs(parsed) do
      local behind = parsed.gap and index > parsed.gap
      local name = name_of(condition)
      if name then
        values["$" .. name] = line[behind and #line - #parsed + index or index]
      end
    end
  end
  return values
end

--- The number that a metric filter takes from a message: a number, "$.path" or "$name"; or nil.
function pattern.number(parsed, message, value)
  if as_number(value) then
    return as_number(value)
  elseif parsed.form == "fields" then
    return as_number(pattern.extract(parsed, message)[value] or "")
  end
  local reader = { text = value, at = 1, regexes = 0 }
  local ok, path = pcall(read_selector, reader)
  local found = ok and at_path(json.object_of(message), path)
  return type(found) == "number" and found or type(found) == "string" and as_number(found) or nil
end

return pattern
