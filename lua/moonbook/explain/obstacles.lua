--- What keeps the scheduler from moving, as the service's events tell it. Pure.

local collect = require "moonbook.explain.collect"
local tasks = require "moonbook.explain.tasks"
local texts = require "moonbook.explain.texts"

local obstacles = {}

local function started_after(ev, at)
  for _, lot in ipairs { ev.running, ev.stopped } do
    for _, task in ipairs(lot) do
      if task.created_at > at then
        return true
      end
    end
  end
  return false
end

-- Events do not say whose task it was: when only tasks of other deployments stopped for it, it is theirs.
local function of_others(ev, code)
  if #ev.stopped > 0 or #ev.running > 0 then
    for _, task in pairs(ev.foreign) do
      local why = tasks.classify(task)
      if why and why.code == code then
        return true
      end
    end
  end
  return false
end

-- An obstacle that tasks have got past since is only a possible cause.
local function obstacle(list, ev, event, code, values)
  if list[code] and not list[code].by_event then
    return -- the stopped tasks have said it
  elseif of_others(ev, code) then
    return
  end
  local past = started_after(ev, event.created_at)
  local finding = collect.add(list, code, {
    count = 1, confidence = past and "possible" or "certain", values = values, evidence = { event.message },
  })
  finding.by_event = true
end

local by_event = {
  { "was unable to place a task", function(list, ev, event)
    local reason = event.message:match("Reason: (.*)$") or event.message
    local code = texts.code(event.message) or "unknown"
    if code == "log_group_missing" and ev.log_group_exists then
      code = "logs_unreachable"
    end
    if list[code] == nil or list[code].by_event then
      local values = texts.values(reason)
      values.reason = reason
      obstacle(list, ev, event, code, values)
    end
  end },
  { "was unable to stop or start tasks during a deployment", function(list, ev, event)
    local bounds = ev.service.deployment_configuration or {}
    obstacle(list, ev, event, "bounds_block", {
      minimum = bounds.minimum_healthy_percent, maximum = bounds.maximum_percent, desired = ev.service.desired_count,
    })
  end },
  { "under protection", function(list, ev, event)
    obstacle(list, ev, event, "tasks_protected", { protected = event.message:match("(%d+) tasks? under protection") })
  end },
  { "operations are being throttled", function(list, ev, event)
    obstacle(list, ev, event, "ecs_throttled")
  end },
  { "failed container health checks", function(list, ev, event)
    local id = event.message:match("%(task (%x+)%)")
    if not list.container_check_failed or list.container_check_failed.by_event then
      if not ev.foreign[id] then
        obstacle(list, ev, event, "container_check_failed")
      end
    end
  end },
}

--- Adds what the events of the deployment's time say of tasks that could not be placed, started or stopped.
function obstacles.add(list, ev)
  for _, event in ipairs(ev.events) do
    for _, rule in ipairs(by_event) do
      if event.message:find(rule[1], 1, true) then
        rule[2](list, ev, event)
        break
      end
    end
  end
end

return obstacles
