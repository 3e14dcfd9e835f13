--- Alarms that a deployment watches: when one fires, the deployment has failed.

local durations = require "sim.facts.durations"

local alarms = {}

local function enabled(service)
  local configured = service.deployment_configuration.alarms
  return configured and configured.enable == true and configured or nil
end

local function state_of(world, name)
  return require("sim.cloudwatch").alarm_state(world, name)
end

--- Notes which alarms a new deployment watches: those that are not in ALARM already.
function alarms.watch(world, service, deployment)
  local configured = enabled(service)
  if not configured then
    return
  end
  deployment.watched_alarms = {}
  for _, name in ipairs(configured.alarm_names) do
    if state_of(world, name) ~= "ALARM" then
      table.insert(deployment.watched_alarms, name)
    end
  end
end

--- The watched alarms that fire now, or nil.
function alarms.fired(world, service, deployment)
  if not enabled(service) then
    return nil
  end
  local fired = {}
  for _, name in ipairs(deployment.watched_alarms or {}) do
    if state_of(world, name) == "ALARM" then
      fired[#fired + 1] = name
    end
  end
  return #fired > 0 and fired or nil
end

--- Whether a deployment of the service is under way whose alarms have to be looked at again and again.
function alarms.watching(service)
  return enabled(service) ~= nil and #(service.deployments[1].watched_alarms or {}) > 0
end

--- For how many seconds after its last move a deployment is still watched. One with lifecycle stages has a stage
-- for that.
function alarms.bake_seconds(service, deployment)
  if deployment.strategy or not enabled(service) or #(deployment.watched_alarms or {}) == 0 then
    return 0
  end
  return durations.usual("bake_time_floor")
end

return alarms
