--- Calls that go on trying while AWS is only busy: throttled, or failing for a moment.
--
-- A primitive retries a few times within seconds. That is right for one call of an operator, and too little
-- for a run that has begun to change something: it must not end because the account is busy for a moment.

local patience = {}

local LIMIT = 30 -- seconds, from the first failure on
local FIRST, LONGEST = 2, 15 -- seconds between two tries

local function again(passes, f, ...)
  local wait, deadline = FIRST, now() + LIMIT
  while true do
    local answer, err = attempt(f, ...)
    if answer ~= nil or err == nil then
      return answer
    elseif not passes(err) or now() + wait > deadline then
      return nil, err
    end
    progress("AWS is busy, trying again: " .. tostring(err))
    sleep(wait * (1 + 0.2 * math.random()))
    wait = math.min(wait * 2, LONGEST)
  end
end

-- AWS has answered, that it cannot just now. A network that is down is told of at once: whoever sits before
-- it can do something about it.
local function may_pass(err)
  return err.kind == "throttled" or (err.status or 0) >= 500
end

local function was_throttled(err)
  return err.kind == "throttled"
end

--- Like attempt(), for reads: what `f` gives, or nil and the error once it has lasted for half a minute.
function patience.attempt(f, ...)
  return again(may_pass, f, ...)
end

--- Like calling `f`, for reads: raises the error once it has lasted for half a minute.
function patience.call(f, ...)
  local answer, err = again(may_pass, f, ...)
  if err then
    error(err, 0)
  end
  return answer
end

--- Like attempt(), for writes: only what AWS refused for its rate is sent again, as nothing came of it.
function patience.attempt_write(f, ...)
  return again(was_throttled, f, ...)
end

--- Like calling `f`, for writes.
function patience.write(f, ...)
  local answer, err = again(was_throttled, f, ...)
  if err then
    error(err, 0)
  end
  return answer
end

return patience
