--- Schedules of scheduled actions: at(yyyy-mm-ddThh:mm:ss) and rate(VALUE UNIT), in UTC.

local schedule = {}

local units = { minute = 60, minutes = 60, hour = 3600, hours = 3600, day = 86400, days = 86400 }

-- Seconds since 1970 of a date, by the days before its year, month and day.
local function time_of(text)
  local year, month, day, hour, minute, second =
    text:match("^at%((%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d):(%d%d):?(%d*)%)$")
  if not year then
    return nil
  end
  local y, m = tonumber(year), tonumber(month)
  y = m <= 2 and y - 1 or y
  local shifted = (m + 9) % 12
  local days = 365 * y + y // 4 - y // 100 + y // 400 + (153 * shifted + 2) // 5 + tonumber(day) - 1 - 719468
  return days * 86400 + tonumber(hour) * 3600 + tonumber(minute) * 60 + (tonumber(second) or 0)
end

local function rate_of(text)
  local count, unit = text:match("^rate%((%d+) (%a+)%)$")
  local size = units[unit or ""]
  return size and tonumber(count) > 0 and tonumber(count) * size or nil
end

--- Whether we can follow a schedule.
function schedule.is_known(text, timezone)
  return (not timezone or timezone == "UTC" or timezone == "Etc/UTC") and (time_of(text) or rate_of(text)) ~= nil
end

--- Whether an action came due after it was last looked at ({schedule, seen, created, first, last}).
function schedule.is_due(action, now)
  if action.first and now < action.first or action.last and now > action.last then
    return false
  end
  local time, rate = time_of(action.schedule), rate_of(action.schedule)
  if time then
    return action.seen < time and time <= now
  end
  local start = action.first or action.created
  return (now - start) // rate > (action.seen - start) // rate
end

return schedule
