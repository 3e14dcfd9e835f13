--- Notes who started a deployment and who stopped it, for those who look at the world from outside (sim.truth). ECS
-- itself tells nobody.

local history = require "sim.ecs.history"
local names = require "sim.ecs.names"

local callers = {}

-- nil for the scenario itself: what it does, others do.
local function person(caller)
  if caller and not caller.scenario then
    return caller.arn or "client"
  end
end

local function newest(world, cluster, name)
  local service = name and names.find_service(world, cluster, name)
  return service and service.history[1]
end

local function notes_start(run, name_of)
  return function(world, input, caller)
    local before = newest(world, input.cluster, name_of(input))
    local output, raw = run(world, input, caller)
    local arn = newest(world, input.cluster, name_of(input))
    if arn and arn ~= before then
      history.record(world, arn).started_by = person(caller)
    end
    return output, raw
  end
end

local function goes_back(record)
  return record ~= nil and record.status:find("ROLLBACK", 1, true) ~= nil
end

-- Who asks for a rollback that is under way already did not stop the deployment.
local function notes_stop(run)
  return function(world, input, caller)
    local record = history.record(world, input.service_deployment_arn)
    local before = goes_back(record)
    local output, raw = run(world, input, caller)
    if goes_back(record) and not before then
      record.stopped_by = person(caller) or "scenario"
    end
    return output, raw
  end
end

--- Lets the operations that start or stop a deployment note who called them.
function callers.note(operations)
  operations.create_service = notes_start(operations.create_service, function(input)
    return input.service_name
  end)
  operations.update_service = notes_start(operations.update_service, function(input)
    return input.service
  end)
  operations.stop_service_deployment = notes_stop(operations.stop_service_deployment)
  operations.continue_service_deployment = notes_stop(operations.continue_service_deployment)
end

return callers
