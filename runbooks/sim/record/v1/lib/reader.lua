--- Reading what may be denied: a read that fails is noted by name, and the rest goes on.
--
--     local reader = require("lib.reader").new()
--     local answer = reader:read("target group web", elbv2.describe_target_groups, { names = { "web" } })
--     -- nil when AWS said no; reader.missing then says so

local reader = {}
reader.__index = reader

--- A reader. Its `missing` is a list of {what, operation, code, message}.
function reader.new()
  return setmetatable({ missing = {} }, reader)
end

-- What AWS itself answered. No connection, no credentials or a cancelled run end the recording.
local answered = { aws = true, denied = true, throttled = true }

--- Notes that something is not in the recording. `err`: {operation, code, message}.
function reader:note(what, err)
  self.missing[#self.missing + 1] = {
    what = what,
    operation = err.operation or "",
    code = err.code,
    message = err.message,
  }
end

--- What a primitive answers, or nil when AWS refuses. An answer that holds some of what was asked for
-- is given, and what it lacks is noted.
function reader:read(what, primitive, input)
  local answer, err = attempt(primitive, input)
  if answer then
    return answer
  elseif not answered[err.kind] then
    error(err, 0)
  end
  self:note(what, err)
  return err.output
end

--- Every page of a listing, merged; an empty table when AWS refuses.
function reader:all(what, primitive, input)
  return self:read(what, function(asked)
    return all(primitive, asked)
  end, input) or {}
end

--- What `member` of the answers for each item holds, in one list. `input_of(item)` is what to ask.
-- Items are asked for at the same time.
function reader:gather(items, member, what, primitive, input_of)
  local answers = each(items, function(item)
    local label = what .. (type(item) == "string" and " " .. item or "")
    return self:read(label, primitive, input_of(item)) or false
  end)
  local out = {}
  for _, answer in ipairs(answers) do
    for _, found in ipairs(answer and answer[member] or {}) do
      out[#out + 1] = found
    end
  end
  return out
end

--- The same by item: a map of what `member` of each answer holds.
function reader:gather_by(items, member, what, primitive, input_of)
  local out = {}
  each(items, function(item)
    local answer = self:read(what .. " " .. item, primitive, input_of(item))
    out[item] = answer and answer[member] or nil
  end)
  return out
end

return reader
