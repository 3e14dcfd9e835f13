--- Small tools that every simulated service may need.

local util = {}

--- Walks a table's keys in order: numbers first, then text.
function util.sorted_pairs(map)
  local keys = {}
  for key in pairs(map) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    if type(a) == type(b) then
      return a < b
    end
    return type(a) == "number"
  end)
  local index = 0
  return function()
    index = index + 1
    local key = keys[index]
    if key ~= nil then
      return key, map[key]
    end
  end
end

--- A deep copy of plain data.
function util.copy(value)
  if type(value) ~= "table" then
    return value
  end
  local out = {}
  for key, item in pairs(value) do
    out[key] = util.copy(item)
  end
  return out
end

--- Deep equality of plain data.
function util.equal(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  end
  for key, item in pairs(a) do
    if not util.equal(item, b[key]) then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  return true
end

--- Whether a list holds a value.
function util.holds(list, value)
  for _, item in ipairs(list or {}) do
    if item == value then
      return true
    end
  end
  return false
end

local units = { ms = 0.001, s = 1, m = 60, h = 3600, d = 86400 }

--- Seconds of a number or of a text such as "300ms", "90s", "5m" or "1h30m"; nil for anything else.
function util.seconds(value)
  if type(value) == "number" then
    return value
  elseif type(value) ~= "string" or value == "" then
    return nil
  end
  local sum, rest = 0, value
  while rest ~= "" do
    local number, unit, after = rest:match("^(%d+%.?%d*)(%l+)(.*)$")
    if not number or not units[unit] then
      return nil
    end
    sum, rest = sum + tonumber(number) * units[unit], after
  end
  return sum
end

--- The last part of an ARN or path: "arn:...:cluster/web" gives "web".
function util.last_part(text)
  return text:match("([^/:]+)$") or text
end

return util
