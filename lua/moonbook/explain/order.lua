--- Which finding comes first, and what others add to its evidence. Pure.

local collect = require "moonbook.explain.collect"
local tasks = require "moonbook.explain.tasks"

local order = {}

-- The scheduler replaces these tasks and does not count them as failed.
local WEAK = { spot_interruption = true, maintenance = true, task_stopped_by_user = true, ecs_throttled = true }
local FROM_OUTSIDE = {
  superseded = true, rolled_back_by_request = true, service_deleted = true, hook_waits = true,
}

-- What ECS says itself, then inference; alarms and what others did when the tasks say nothing.
local function class(finding)
  if FROM_OUTSIDE[finding.code] then
    return 4
  elseif finding.code == "still_in_progress" then
    return 6
  elseif finding.confidence == "possible" then
    return 7
  elseif WEAK[finding.code] then
    return 5
  elseif finding.code == "alarm_triggered" then
    return 3
  end
  return (finding.basis or finding.confidence) == "certain" and 1 or 2
end

local function ranked(list)
  local out = { table.unpack(list) }
  table.sort(out, function(a, b)
    local first, second = class(a), class(b)
    return first < second or first == second and a.count > b.count
  end)
  return out
end

-- The breaker counts; its count belongs to the evidence of what it counted.
local function add_breaker(list, ev)
  local breaker = ev.record and ev.record.deployment_circuit_breaker or {}
  local first = list[1]
  if first and (breaker.failure_count or 0) > 0 and class(first) <= 2 then
    table.insert(first.evidence, ("circuit breaker %s: %d failed of %s allowed"):format(
      breaker.status or "?", breaker.failure_count, breaker.threshold or "?"
    ))
  end
end

-- When what ran before stops for the same reason since, the new revision is not to blame.
local function add_others(list, ev)
  local first, count = list[1], 0
  for _, task in pairs(first and class(first) <= 2 and ev.foreign or {}) do
    local why = tasks.classify(task)
    local since = (task.stopping_at or 0) >= ev.created_at
    if since and why and (why.code == first.code or why.code == first.was) then
      count = count + 1
    end
  end
  if count > 0 then
    table.insert(first.evidence, collect.plural(count, "task")
      .. " of other deployments stopped for the same reason since: it may not be this revision's fault")
  end
end

-- What a deployment that is complete got past is of no interest.
local function without_past(list, ev)
  local out = {}
  for _, finding in ipairs(list) do
    if not ev.complete or finding.confidence ~= "possible" then
      out[#out + 1] = finding
    end
  end
  return out
end

--- The findings in order, the likeliest first, with what the circuit breaker and other deployments' tasks add.
function order.of(list, ev)
  list = without_past(ranked(list), ev)
  add_breaker(list, ev)
  add_others(list, ev)
  return list
end

return order
