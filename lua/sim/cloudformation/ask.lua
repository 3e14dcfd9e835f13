--- How CloudFormation asks other services: as the stack's role does, nobody's call in the journal.

local facts = require "sim.facts.cloudformation"

local ask = {}

-- What the handler of a resource calls an error.
local function handler_code(code)
  if code:find("NotFound") or code:find("NoSuch") or code:find("Missing") then
    return "NotFound"
  elseif code:find("AlreadyExists") or code:find("Duplicate") or code:find("InUse") then
    return "AlreadyExists"
  elseif code:find("AccessDenied") then
    return "AccessDenied"
  end
  return "InvalidRequest"
end

--- Ends the making of a resource with a reason.
function ask.fail(message, code)
  error({ resource_failure = true, message = message, code = code }, 0)
end

--- Does an operation for a resource; gives its output. Fails with the service's words.
function ask.call(world, service, operation, input)
  local caller = { scenario = true, arn = world:arn("sts", "assumed-role/cloudformation/CloudFormation") }
  local answer = world:call(service, operation, input, caller)
  if answer.output then
    return answer.output
  elseif answer.error.code == "NotSimulated" then
    error({ not_simulated = true }, 0)
  end
  local message = facts.reasons.service_error:format(
    answer.error.message or "", facts.service_names[service] or service, answer.error.status or 400, world:uuid())
  ask.fail(message, handler_code(answer.error.code))
end

--- The same, but what is gone already may stay gone.
function ask.remove(world, service, operation, input)
  local ok, problem = pcall(ask.call, world, service, operation, input)
  if not ok and not (type(problem) == "table" and (problem.code == "NotFound" or problem.not_simulated)) then
    error(problem, 0)
  end
end

return ask
