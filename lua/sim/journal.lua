--- What was called: service, operation, input without its secrets, outcome and time. The latest ones
-- are kept, for specs to look at and for people to read.

local journal = { operations = {} }

local limit = 10000 -- and at most a tenth more, so that they are seldom moved

-- Members whose value is never written down, wherever they stand.
local secret = {
  secret_string = true, secret_binary = true, value = true, password = true, session_token = true,
  secret_access_key = true, authorization_token = true,
}

function journal.init(_, state)
  state.calls = {} -- oldest first
end

local function without_secrets(value, depth)
  if type(value) ~= "table" then
    return value
  elseif depth > 6 then
    return "..."
  end
  local out = {}
  for key, item in pairs(value) do
    out[key] = secret[key] and "[secret]" or without_secrets(item, depth + 1)
  end
  return out
end

--- Writes one call down. What scenarios do while they build the world is not anybody's call.
function journal.record(world, service, operation, input, answer, caller)
  if caller and caller.scenario then
    return
  end
  local state = world:state("journal")
  state.calls[#state.calls + 1] = {
    time = world:now(), service = service, operation = operation, input = without_secrets(input or {}, 1),
    code = answer.error and answer.error.code, request_id = caller and caller.request_id,
    outcome = answer.error and "error" or answer.reset and "reset" or "ok",
  }
  if #state.calls > limit + limit // 10 then
    state.calls = table.move(state.calls, #state.calls - limit + 1, #state.calls, 1, {})
  end
end

--- Forgets every call: counting begins anew.
function journal.forget(world)
  journal.init(world, world:state("journal"))
end

--- The calls that are kept, oldest first; of one service, or one operation of it.
function journal.calls(world, service, operation)
  local out = {}
  for _, call in ipairs(world:state("journal").calls) do
    if (not service or call.service == service) and (not operation or call.operation == operation) then
      out[#out + 1] = call
    end
  end
  return out
end

return journal
