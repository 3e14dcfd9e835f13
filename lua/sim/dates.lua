--- Dates as texts, in UTC. Times are seconds since 1970, with or without a fraction.

local dates = {}

--- Year, month, day, hour, minute, second, millisecond of a time.
function dates.parts(time)
  local milliseconds = math.floor(time * 1000 + 0.5)
  local seconds = milliseconds // 1000
  local days, rest = seconds // 86400, seconds % 86400
  -- Days are counted from 0000-03-01, in eras of 400 years, so that a leap day is the last of its year.
  local z = days + 719468
  local era = z // 146097
  local day_of_era = z - era * 146097
  local year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
  local day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
  local shifted = (5 * day_of_year + 2) // 153
  local month = shifted < 10 and shifted + 3 or shifted - 9
  local year = year_of_era + era * 400 + (month <= 2 and 1 or 0)
  return {
    year = year, month = month, day = day_of_year - (153 * shifted + 2) // 5 + 1,
    hour = rest // 3600, minute = rest // 60 % 60, second = rest % 60, millisecond = milliseconds % 1000,
  }
end

--- "2026-11-23 09:12:00.000"
function dates.insights(time)
  local p = dates.parts(time)
  return ("%04d-%02d-%02d %02d:%02d:%02d.%03d"):format(
    p.year, p.month, p.day, p.hour, p.minute, p.second, p.millisecond)
end

--- "2026-11-23T09:12:00.000+0000"
function dates.iso(time)
  local p = dates.parts(time)
  return ("%04d-%02d-%02dT%02d:%02d:%02d.%03d+0000"):format(
    p.year, p.month, p.day, p.hour, p.minute, p.second, p.millisecond)
end

--- "23/11/26 09:12:00"
function dates.short(time)
  local p = dates.parts(time)
  return ("%02d/%02d/%02d %02d:%02d:%02d"):format(p.day, p.month, p.year % 100, p.hour, p.minute, p.second)
end

return dates
