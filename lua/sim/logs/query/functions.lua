--- The functions of Insights queries: of one record, and over many.

local functions = {}

local function number(value)
  if type(value) == "number" then
    return value
  end
  return type(value) == "string" and value:find("^%s*[+-]?%.?%d") and tonumber(value) or nil
end

local function text(value)
  if type(value) == "number" then
    return functions.show(value)
  end
  return value
end

functions.number, functions.text = number, text

--- A value as results show it.
function functions.show(value)
  if type(value) == "boolean" then
    return value and "1" or "0"
  elseif type(value) ~= "number" then
    return value
  elseif value == math.floor(value) and math.abs(value) < 1e15 then
    return ("%d"):format(math.tointeger(value))
  end
  return (("%.4f"):format(value):gsub("0+$", ""):gsub("%.$", ""))
end

local units = { ms = 1, s = 1000, m = 60000, h = 3600000, d = 86400000, w = 604800000 }

--- Milliseconds of "5m", or nil.
function functions.period(word)
  local count, unit = word:match("^(%d+)(%a+)$")
  local names = {
    sec = "s", second = "s", seconds = "s", secs = "s", min = "m", mins = "m", minute = "m", minutes = "m",
    hr = "h", hour = "h", hours = "h", day = "d", days = "d", week = "w", weeks = "w",
  }
  local size = count and units[names[unit] or unit]
  return size and tonumber(count) > 0 and tonumber(count) * size or nil
end

local function of_number(apply)
  return function(value)
    local n = number(value)
    return n and apply(n) or nil
  end
end

local function of_text(apply)
  return function(value, ...)
    local s = text(value)
    return type(s) == "string" and apply(s, ...) or nil
  end
end

local function trim(s)
  return (s:gsub("^%s+", ""):gsub("%s+$", ""))
end

-- name = {fewest arguments, most, function of their values}
functions.of_record = {
  abs = { 1, 1, of_number(math.abs) },
  ceil = { 1, 1, of_number(math.ceil) },
  floor = { 1, 1, of_number(math.floor) },
  strlen = { 1, 1, of_text(function(s) return utf8.len(s) or #s end) },
  tolower = { 1, 1, of_text(string.lower) },
  toupper = { 1, 1, of_text(string.upper) },
  trim = { 1, 1, of_text(trim) },
  substr = { 2, 3, of_text(function(s, first, count)
    local from = math.tointeger(number(first)) or 0
    local size = math.tointeger(number(count))
    return s:sub(from + 1, size and from + size or -1)
  end) },
  replace = { 3, 3, of_text(function(s, old, new)
    if type(old) ~= "string" or type(new) ~= "string" or old == "" then
      return s
    end
    return (s:gsub(old:gsub("%W", "%%%0"), (new:gsub("%%", "%%%%"))))
  end) },
  strcontains = { 2, 2, of_text(function(s, part)
    return type(part) == "string" and s:find(part, 1, true) and 1 or 0
  end) },
  concat = { 1, 20, function(...)
    local parts = {}
    for index = 1, select("#", ...) do
      local value = select(index, ...)
      parts[#parts + 1] = value ~= nil and functions.show(value) or ""
    end
    return table.concat(parts)
  end },
  coalesce = { 1, 20, function(...)
    for index = 1, select("#", ...) do
      local value = select(index, ...)
      if value ~= nil then
        return value
      end
    end
  end },
  ispresent = { 1, 1, function(value) return value ~= nil end },
  isempty = { 1, 1, function(value) return value == nil or value == "" end },
  isblank = { 1, 1, function(value) return value == nil or type(value) == "string" and trim(value) == "" end },
}

-- ---- over many -----------------------------------------------------------------------------------

local function numbers(list)
  local out = {}
  for _, value in ipairs(list) do
    out[#out + 1] = number(value)
  end
  return out
end

local function sum(list)
  local total = 0
  for _, value in ipairs(numbers(list)) do
    total = total + value
  end
  return total
end

local function extreme(better)
  return function(list)
    local best
    for _, value in ipairs(numbers(list)) do
      if best == nil or better(value, best) then
        best = value
      end
    end
    return best
  end
end

--- The value below which `percent` of a sorted list lie, between two of them by their distance.
function functions.percentile(sorted, percent)
  if #sorted == 0 then
    return nil
  end
  local place = (#sorted - 1) * percent / 100 + 1
  local low = math.floor(place)
  local high = math.min(low + 1, #sorted)
  return sorted[low] + (sorted[high] - sorted[low]) * (place - low)
end

local function percentile(list, percent)
  local sorted = numbers(list)
  table.sort(sorted)
  return functions.percentile(sorted, percent)
end

-- name = {arguments, function of the list of values and the second argument}
functions.over_many = {
  count = { 1, function(list) return #list end },
  count_distinct = { 1, function(list)
    local seen, count = {}, 0
    for _, value in ipairs(list) do
      local key = functions.show(value)
      count, seen[key] = count + (seen[key] and 0 or 1), true
    end
    return count
  end },
  sum = { 1, sum },
  avg = { 1, function(list)
    local count = #numbers(list)
    return count > 0 and sum(list) / count or nil
  end },
  min = { 1, extreme(function(a, b) return a < b end) },
  max = { 1, extreme(function(a, b) return a > b end) },
  pct = { 2, percentile },
  median = { 1, function(list) return percentile(list, 50) end },
}

return functions
