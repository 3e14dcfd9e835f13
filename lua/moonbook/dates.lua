--- Times for people.

local dates = {}

-- Year, month and day of the days since 1970-01-01, counted in eras of 400 years from 0000-03-01.
local function civil(days)
  local day = days + 719468
  local era, of_era = day // 146097, day % 146097
  local year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
  local of_year = of_era - (365 * year + year // 4 - year // 100)
  local month = (5 * of_year + 2) // 153
  local date = of_year - (153 * month + 2) // 5 + 1
  month = month < 10 and month + 3 or month - 9
  return year + era * 400 + (month <= 2 and 1 or 0), month, date
end

--- "2026-01-31 14:05" in UTC of seconds since 1970.
function dates.utc(seconds)
  local whole = math.floor(seconds)
  local year, month, day = civil(whole // 86400)
  return ("%04d-%02d-%02d %02d:%02d"):format(year, month, day, whole % 86400 // 3600, whole % 3600 // 60)
end

--- "2026-01-31 14:05:09.123", which sorts as the time it says.
function dates.exact(seconds)
  return ("%s:%06.3f"):format(dates.utc(seconds), seconds % 60)
end

--- "45s", "2m05s", "1h30m" of a number of seconds.
function dates.span(seconds)
  local whole = math.floor(seconds)
  if whole < 60 then
    return ("%ds"):format(whole)
  elseif whole < 3600 then
    return ("%dm%02ds"):format(whole // 60, whole % 60)
  end
  return ("%dh%02dm"):format(whole // 3600, whole % 3600 // 60)
end

return dates
