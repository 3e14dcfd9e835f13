--- JSON as the simulated services need it: documents of clients (manifests, policies, dashboards, log
-- lines) are read, small documents are written. Null is `json.null`, so that a list keeps its length.

local json = {}

json.null = setmetatable({}, {
  __tostring = function()
    return "null"
  end,
})

local max_depth = 64

-- ---- reading -------------------------------------------------------------------------------------

local escapes = {
  b = "\b", f = "\f", n = "\n", r = "\r", t = "\t",
  ['"'] = '"', ["\\"] = "\\", ["/"] = "/",
}

local function skip(text, at)
  return text:find("[^ \t\r\n]", at) or #text + 1
end

-- Four hex digits, and the second half of a pair when there is one. Returns text and the next place.
local function read_unicode(text, at)
  local digits = text:match("^%x%x%x%x", at)
  if not digits then
    return nil
  end
  local code, after = tonumber(digits, 16), at + 4
  if code >= 0xd800 and code < 0xdc00 then
    local low = text:match("^\\u(%x%x%x%x)", after)
    low = low and tonumber(low, 16)
    if low and low >= 0xdc00 and low < 0xe000 then
      code, after = 0x10000 + (code - 0xd800) * 0x400 + (low - 0xdc00), after + 6
    end
  end
  if code >= 0xd800 and code < 0xe000 then
    code = 0xfffd -- half a pair: say so as text readers do
  end
  return utf8.char(code), after
end

local function read_string(text, at)
  local parts, start = {}, at + 1
  while true do
    local stop = text:find('["\\%c]', start)
    if not stop then
      return nil
    end
    parts[#parts + 1] = text:sub(start, stop - 1)
    local mark = text:sub(stop, stop)
    if mark == '"' then
      return table.concat(parts), stop + 1
    elseif mark ~= "\\" then
      if mark ~= "\127" then
        return nil
      end
      parts[#parts + 1], start = mark, stop + 1
    else
      local letter = text:sub(stop + 1, stop + 1)
      local piece, after = escapes[letter], stop + 2
      if letter == "u" then
        piece, after = read_unicode(text, stop + 2)
      end
      if not piece then
        return nil
      end
      parts[#parts + 1], start = piece, after
    end
  end
end

local function read_number(text, at)
  local stop = select(2, text:find("^%-?%d+%.?%d*[eE]?[+-]?%d*", at))
  local word = stop and text:sub(at, stop)
  if not word or word:find("^%-?0%d") or word:find("%.$") or word:find("%.[eE]") then
    return nil
  end
  local value = tonumber(word)
  if not value or value ~= value or value == math.huge or value == -math.huge then
    return nil
  end
  return value, stop + 1
end

local read_value

local function read_list(text, at, depth)
  local list = {}
  at = skip(text, at + 1)
  if text:sub(at, at) == "]" then
    return list, at + 1
  end
  while true do
    local item, after = read_value(text, at, depth + 1)
    if after == nil then
      return nil
    end
    list[#list + 1] = item
    at = skip(text, after)
    local mark = text:sub(at, at)
    if mark == "]" then
      return list, at + 1
    elseif mark ~= "," then
      return nil
    end
    at = skip(text, at + 1)
  end
end

local function read_map(text, at, depth)
  local map = {}
  at = skip(text, at + 1)
  if text:sub(at, at) == "}" then
    return map, at + 1
  end
  while true do
    if text:sub(at, at) ~= '"' then
      return nil
    end
    local key, after = read_string(text, at)
    at = key and skip(text, after)
    if not key or text:sub(at, at) ~= ":" then
      return nil
    end
    local item
    item, after = read_value(text, skip(text, at + 1), depth + 1)
    if after == nil then
      return nil
    end
    map[key] = item
    at = skip(text, after)
    local mark = text:sub(at, at)
    if mark == "}" then
      return map, at + 1
    elseif mark ~= "," then
      return nil
    end
    at = skip(text, at + 1)
  end
end

local words = { { "true", true }, { "false", false }, { "null", json.null } }

function read_value(text, at, depth)
  if depth > max_depth then
    return nil
  end
  local mark = text:sub(at, at)
  if mark == "{" then
    return read_map(text, at, depth)
  elseif mark == "[" then
    return read_list(text, at, depth)
  elseif mark == '"' then
    return read_string(text, at)
  end
  for _, word in ipairs(words) do
    if text:sub(at, at + #word[1] - 1) == word[1] then
      return word[2], at + #word[1]
    end
  end
  return read_number(text, at)
end

--- The value of a text, or nil when it is not JSON.
function json.decode(text)
  local value, after = read_value(text, skip(text, 1), 1)
  if after == nil or skip(text, after) <= #text then
    return nil
  end
  return value
end

--- The value of a text when it is a JSON object, or nil.
function json.object_of(text)
  if not text:find("^%s*{") then
    return nil
  end
  return json.decode(text)
end

-- ---- writing -------------------------------------------------------------------------------------

local function quote(text)
  return '"' .. text:gsub('[%c"\\\127]', function(mark)
    local short = ({ ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\" })[mark]
    return short or ("\\u%04x"):format(mark:byte())
  end) .. '"'
end

--- A number with at least one digit behind the point, as Java writes doubles: 95.0, 0.25, 1.0E7.
function json.double(value)
  if value == math.floor(value) and math.abs(value) < 1e7 then
    return ("%d.0"):format(math.tointeger(value) or 0)
  end
  local text
  for digits = 15, 17 do
    text = ("%." .. digits .. "g"):format(value)
    if tonumber(text) == value then
      break
    end
  end
  if math.abs(value) >= 1e-3 and math.abs(value) < 1e7 then
    return text
  end
  local mantissa, exponent = ("%.15e"):format(value):match("^(.-)e([+-]%d+)$")
  mantissa = mantissa:gsub("0+$", ""):gsub("%.$", ".0")
  return ("%sE%d"):format(mantissa, tonumber(exponent))
end

local function number(value)
  if math.type(value) == "integer" then
    return ("%d"):format(value)
  elseif value == math.floor(value) and math.abs(value) < 1e15 then
    return ("%d"):format(math.tointeger(value))
  end
  for digits = 15, 17 do
    local text = ("%." .. digits .. "g"):format(value)
    if tonumber(text) == value then
      return text
    end
  end
end

local write_value

local function write_map(map, depth)
  local keys, parts = {}, {}
  for key in pairs(map) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for index, key in ipairs(keys) do
    parts[index] = quote(key) .. ":" .. write_value(map[key], depth + 1)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function write_value(value, depth)
  assert(depth <= max_depth, "JSON nested too deeply")
  local kind = type(value)
  if value == json.null then
    return "null"
  elseif kind == "string" then
    return quote(value)
  elseif kind == "number" then
    return number(value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif value.json_text then
    return value.json_text
  elseif #value == 0 and next(value) ~= nil then
    return write_map(value, depth)
  end
  local parts = {}
  for index, item in ipairs(value) do
    parts[index] = write_value(item, depth + 1)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

--- The text of plain data, keys in order; an empty table is an empty list.
function json.encode(value)
  return write_value(value, 1)
end

--- A part of a document whose members keep their order: a list of {key, value}; nil values are left out.
function json.ordered(members)
  local parts = {}
  for _, member in ipairs(members) do
    if member[2] ~= nil then
      parts[#parts + 1] = quote(member[1]) .. ":" .. write_value(member[2], 2)
    end
  end
  return { json_text = "{" .. table.concat(parts, ",") .. "}" }
end

--- A number that is written as a double (2.0 rather than 2).
function json.as_double(value)
  return { json_text = json.double(value) }
end

return json
