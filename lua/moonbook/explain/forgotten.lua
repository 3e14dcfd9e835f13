--- Tasks that ECS has forgotten: their ids are in the service's events for longer, and their logs are kept. Pure.

local health = require "moonbook.explain.health"

local forgotten = {}

local function unhealthy(ev)
  local oldest, found
  for id, told in pairs(health.events(ev.events)) do
    if not ev.foreign[id] and (not oldest or told.at < oldest) then
      oldest, found = told.at, id
    end
  end
  return found, oldest
end

-- The first task that was started in the deployment's time.
local function started(ev)
  local found, at
  for _, event in ipairs(ev.events) do -- newest first
    local id = event.message:match("has started %d+ tasks: %(task (%x+)%)")
    if id and not ev.foreign[id] then
      found, at = id, event.created_at
    end
  end
  return found, at
end

--- A task of the deployment of the evidence that only events still name, with what is known of it: { task_arn (its
-- id), forgotten = true, stopping_at, pull_stopped_at }. When its containers came up is not known: the time when it was
-- stopped stands for it. nil when no event names one.
function forgotten.task(ev)
  local id, at = unhealthy(ev)
  if not id then
    id, at = started(ev)
  end
  return id and { task_arn = id, forgotten = true, created_at = at, stopping_at = at, pull_stopped_at = at }
end

return forgotten
