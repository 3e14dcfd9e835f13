--- How the deployment ended, or where it stands, as ECS tells it of the deployment as a whole. Pure.

local collect = require "moonbook.explain.collect"
local tasks = require "moonbook.explain.tasks"

local ending = {}

-- ---- alarms, hooks, and what others did -----------------------------------------------------------

local function from_alarms(list, ev)
  local watched = ev.record and ev.record.alarms or {}
  local names = watched.triggered_alarm_names or {}
  local failed = ev.listed and (ev.listed.rollout_state_reason or ""):find("alarm", 1, true)
  if #names == 0 and watched.status ~= "TRIGGERED" and not failed then
    return
  end
  local lines = {}
  for _, alarm in ipairs(ev.alarms or {}) do
    lines[#lines + 1] = ("alarm %s is %s: %s"):format(alarm.alarm_name, alarm.state_value, alarm.state_reason or "?")
  end
  collect.add(list, "alarm_triggered", {
    count = 1, confidence = "certain", values = { alarm = names[1] }, evidence = lines,
  })
end

local HOOKS = { FAILED = "hook_failed", TIMED_OUT = "hook_timed_out", AWAITING_ACTION = "hook_waits" }

local function from_hooks(list, ev)
  local record = ev.record or {}
  for _, hook in ipairs(record.lifecycle_hook_details or {}) do
    local code = HOOKS[hook.status]
    if code then
      collect.add(list, code, {
        count = 1, confidence = "certain",
        values = { hook = code ~= "hook_waits" and hook.target_arn or hook.hook_id,
          deployment = record.service_deployment_arn },
        evidence = { ("lifecycle hook %s is %s"):format(hook.hook_id or "?", hook.status) },
      })
    end
  end
end

local function newer_than(ev)
  for _, other in ipairs(ev.service.deployments or {}) do
    if other.id ~= ev.id and other.created_at and other.created_at > ev.created_at + 1 then
      return other
    end
  end
  return nil
end

local function from_the_end(list, ev)
  local record = ev.record or {}
  local reason = record.status_reason or ""
  if ev.service.status ~= "ACTIVE" then
    collect.add(list, "service_deleted", {
      confidence = "certain", evidence = { ("service %s is %s"):format(ev.name, ev.service.status) },
    })
  elseif reason:find("user request", 1, true) or record.status == "ROLLBACK_REQUESTED" then
    local line = record.status .. ": " .. reason
    collect.add(list, "rolled_back_by_request", { confidence = "certain", evidence = { line } })
  elseif record.status == "STOPPED" and reason:find("newer", 1, true) then
    collect.add(list, "superseded", { confidence = "certain", evidence = { "STOPPED: " .. reason } })
  elseif not ev.complete and newer_than(ev) and (not ev.record or record.status == "STOPPED") then
    local newer = newer_than(ev)
    collect.add(list, "superseded", {
      confidence = "certain", evidence = { ("deployment %s is newer"):format(newer.id) },
    })
  end
end

-- ---- when nothing else explains -------------------------------------------------------------------

local OVER = { STOPPED = true, ROLLBACK_SUCCESSFUL = true, ROLLBACK_FAILED = true }

local function duration(seconds)
  seconds = math.max(math.floor(seconds), 0)
  return seconds < 120 and ("%d seconds"):format(seconds) or ("%d minutes"):format(seconds // 60)
end

local function counts_line(ev)
  local listed = ev.listed or {}
  local line = ("%d of %d tasks run, %d are on their way"):format(
    listed.running_count or 0, listed.desired_count or 0, listed.pending_count or 0
  )
  local old = {}
  for _, other in ipairs(ev.service.deployments or {}) do
    if other.id ~= listed.id and (other.running_count or 0) > 0 then
      old[#old + 1] = ("%d of %s"):format(other.running_count, other.id)
    end
  end
  return #old > 0 and line .. "; still running: " .. table.concat(old, ", ") or line
end

local function waiting_lines(ev)
  local lines = { counts_line(ev) }
  for _, task in ipairs(ev.running) do
    if task.last_status ~= "RUNNING" and #lines < 4 then
      lines[#lines + 1] = ("task %s has been %s, %s after it was made"):format(
        tasks.id(task), task.last_status, duration(ev.now - task.created_at)
      )
    end
  end
  return lines
end

local function failed_count(ev)
  local breaker = ev.record and ev.record.deployment_circuit_breaker or {}
  return math.max(breaker.failure_count or 0, ev.listed and ev.listed.failed_tasks or 0)
end

local function ended_badly(ev)
  return ev.record and OVER[ev.record.status] or ev.listed and ev.listed.rollout_state == "FAILED" or ev.ended_at ~= nil
end

local function has_cause(list)
  for _, finding in ipairs(list) do
    if finding.confidence ~= "possible" then
      return true
    end
  end
  return false
end

local ENDED_BY_OTHERS = { "superseded", "rolled_back_by_request", "alarm_triggered" }

local function ended_by_others(list)
  for _, code in ipairs(ENDED_BY_OTHERS) do
    if list[code] then
      return #list == 1
    end
  end
  return false
end

local function from_nothing(list, ev)
  if ev.complete then
    return
  elseif ended_by_others(list) and failed_count(ev) > 0 then
    collect.add(list, "tasks_failed", { count = 1, confidence = "possible", values = { failed = failed_count(ev) } })
  elseif has_cause(list) then
    return
  elseif failed_count(ev) > 0 then
    collect.add(list, "tasks_failed", { count = 1, confidence = "likely", values = { failed = failed_count(ev) } })
  elseif ended_badly(ev) then
    collect.add(list, "unknown", {
      count = 1, confidence = "possible", evidence = { ev.record and ev.record.status_reason },
    })
  elseif ev.record or ev.listed then
    collect.add(list, "still_in_progress", {
      confidence = "certain", evidence = waiting_lines(ev), values = { age = duration(ev.now - ev.created_at) },
    })
  end
end

--- Adds what the deployment as a whole says: alarms, hooks, an end by somebody's hand; and when nothing explains it,
-- that tasks failed, that the reason is not known, or that it is just not over.
function ending.add(list, ev)
  from_alarms(list, ev)
  from_hooks(list, ev)
  from_the_end(list, ev)
  from_nothing(list, ev)
end

return ending
