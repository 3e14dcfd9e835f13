--- The words of an Insights query: names, numbers, texts, expressions between slashes, marks.
--
-- A word is {kind, text, at, line}: "name" (also of fields: @message, a.b, `a b`), "number", "duration" (5m),
-- "text", "regex", "mark", "end".

local facts = require "sim.facts.logs"

local words = {}

--- Ends reading: the query is not one that we have. `message` may be left out: the word is named.
function words.refuse(word, message)
  local text = message
  if not text and word.kind == "end" then
    text = facts.texts.query_end
  elseif not text then
    text = facts.texts.query_symbol:format(word.text, word.line, word.at - word.line_start)
  end
  error({ query_problem = text, first = word.at - 1, last = word.at + #word.text - 2 }, 0)
end

local marks = { "!=", "<=", ">=", "=~", "|", ",", "(", ")", "[", "]", "=", "<", ">", "+", "-", "*", "/", "%", "^" }

local function quoted(source, at, quote)
  local parts, start = {}, at + 1
  while true do
    local stop = source:find("[" .. quote .. "\\]", start)
    if not stop then
      return nil
    end
    parts[#parts + 1] = source:sub(start, stop - 1)
    if source:sub(stop, stop) == quote then
      return table.concat(parts), stop + 1
    end
    local escaped = source:sub(stop + 1, stop + 1)
    parts[#parts + 1] = (escaped == quote or escaped == "\\") and escaped or "\\" .. escaped
    start = stop + 2
  end
end

-- A slash begins an expression after `like`, `=~` and in parse, else it divides.
local function begins_regex(list)
  local last, before = list[#list], list[#list - 1]
  if not last then
    return false
  end
  local word = last.text:lower()
  return last.kind == "name" and (word == "like" or word == "parse") or word == "=~" and last.kind == "mark"
    or last.kind == "name" and before ~= nil and before.text:lower() == "parse" and before.kind == "name"
end

local function read_regex(source, at)
  local start = at + 1
  while true do
    local stop = source:find("[/\\]", start)
    if not stop then
      return nil
    elseif source:sub(stop, stop) == "/" then
      return (source:sub(at + 1, stop - 1):gsub("\\/", "/")), stop + 1
    end
    start = stop + 2
  end
end

local function plain_word(source, at)
  local text, after = source:match("^(%d+%.?%d*[eE]?[+-]?%d*)()", at)
  if text and tonumber(text) and not source:find("^[%a_]", after) then
    return "number", text, after
  end
  text, after = source:match("^(%d+%a+)()", at)
  if text then
    return "duration", text, after
  end
  text, after = source:match("^(@?[%a_\128-\255][%w_@\128-\255]*)()", at)
  while text do -- parts behind dots; a list's place is a part too
    local more, next_at = source:match("^(%.[%w_@\128-\255]+)()", after)
    if not more then
      return "name", text, after
    end
    text, after = text .. more, next_at
  end
end

local function next_word(source, at, list)
  local char = source:sub(at, at)
  if char == '"' or char == "'" then
    local text, after = quoted(source, at, char)
    return text and "text", text, after
  elseif char == "`" then
    local text, after = source:match("^`([^`]+)`()", at)
    return text and "name", text, after
  elseif char == "/" and begins_regex(list) then
    local text, after = read_regex(source, at)
    return text and "regex", text, after
  end
  local kind, text, after = plain_word(source, at)
  if kind then
    return kind, text, after
  end
  for _, mark in ipairs(marks) do
    if source:sub(at, at + #mark - 1) == mark then
      return "mark", mark, at + #mark
    end
  end
end

--- All words of a query, the last of kind "end".
function words.read(source)
  local list, at, line, line_start = {}, 1, 1, 1
  while true do
    local char = source:sub(at, at)
    if char == "\n" then
      at, line = at + 1, line + 1
      line_start = at
    elseif char:find("%s") then
      at = at + 1
    elseif char == "#" then
      at = source:find("\n", at, true) or #source + 1
    elseif char == "" then
      list[#list + 1] = { kind = "end", text = "", at = at, line = line, line_start = line_start }
      return list
    else
      local kind, text, after = next_word(source, at, list)
      local word = { kind = kind, text = text or char, at = at, line = line, line_start = line_start }
      if not kind then
        words.refuse(word)
      end
      word.quoted = char == "`"
      list[#list + 1], at = word, after
    end
  end
end

return words
