--- Judges the evidence that moonbook.explain.gather has read: findings, and their order. Pure: nothing here
-- calls AWS.
--
-- Tasks speak first (stop reasons, exit codes, targets), then events of the scheduler, then the service
-- deployment itself. The circuit breaker only counts what others say: it is evidence, never a cause.

local health = require "moonbook.explain.health"
local starts = require "moonbook.explain.starts"
local tasks = require "moonbook.explain.tasks"
local texts = require "moonbook.explain.texts"

local findings = {}

local function short(text, limit)
  text = tostring(text or ""):gsub("%s+", " ")
  return #text > limit and text:sub(1, limit) .. "..." or text
end

-- ---- collecting ----------------------------------------------------------------------------------

-- Adds to what is known of a cause: counts add up, values that are known already stay.
local function add(list, code, found)
  local finding = list[code]
  if not finding then
    finding = { code = code, count = 0, confidence = found.confidence, evidence = {}, values = {} }
    list[code] = finding
    list[#list + 1] = finding
  end
  finding.count = finding.count + (found.count or 0)
  if found.confidence == "certain" then
    finding.confidence = "certain"
  end
  for key, value in pairs(found.values or {}) do
    if finding.values[key] == nil then
      finding.values[key] = value
    end
  end
  for _, line in ipairs(found.evidence or {}) do
    if #finding.evidence < 12 then
      finding.evidence[#finding.evidence + 1] = line
    end
  end
  return finding
end

local function plural(count, one)
  return ("%d %s%s"):format(count, one, count == 1 and "" or "s")
end

-- ---- what tasks say ------------------------------------------------------------------------------

local function group_line(group)
  local parts = { ("%s stopped: %s: %s"):format(
    plural(group.count, "task"), group.stop_code or "no stop code", short(group.reason, 600)
  ) }
  if group.container and group.exit_code ~= nil then
    parts[#parts + 1] = ("container %s ended with exit code %d"):format(group.container, group.exit_code)
  end
  return table.concat(parts, "; ")
end

local function group_evidence(group)
  local lines = { group_line(group) }
  local why = group.tasks[1].why
  local reason = why and why.container_reason
  if reason and reason ~= group.reason then
    lines[2] = ("container %s: %s"):format(why.container or "?", short(reason, 600))
  end
  lines[#lines + 1] = "first: task " .. tasks.id(group.tasks[1].task)
  return lines
end

local function values_of_text(text)
  local values = texts.values(text)
  return { secret = values.secret, role = values.role, action = values.action, platform = values.platform }
end

local function from_group(list, group)
  local why = group.tasks[1].why
  local values = values_of_text((why.container_reason or "") .. " " .. (group.reason or ""))
  values.container, values.exit_code, values.reason = group.container, group.exit_code, group.reason
  add(list, group.code, {
    count = group.count, confidence = why.confidence, values = values, evidence = group_evidence(group),
  })
end

local function from_running(list, ev)
  for _, task in ipairs(ev.running) do
    local why = tasks.classify(task, ev.definition)
    if why then
      add(list, why.code, {
        count = 1, confidence = why.confidence, values = { container = why.container },
        evidence = { ("task %s runs and is UNHEALTHY"):format(tasks.id(task)) },
      })
    end
  end
end

-- ---- what the load balancer says -----------------------------------------------------------------

local function group_about(ev, arn)
  for _, group in ipairs(ev.groups) do
    if group.arn == arn then
      return group
    end
  end
  return ev.groups[1] or { about = {} }
end

local function target_values(ev, bad, status)
  local group = group_about(ev, bad.group)
  local about = group.about
  return {
    status = status, target_group = bad.group, target_group_name = about.target_group_name,
    health_path = about.health_check_path, matcher = about.matcher and about.matcher.http_code,
    check_timeout = about.health_check_timeout_seconds, health_port = about.health_check_port,
    port = group.port, container = group.container, reason = bad.why,
  }
end

local TARGETS_TOLD = 2 -- the others of the same cause say the same

-- A target that the balancer does not use is never checked.
local function code_of_target(bad)
  if bad.state == "unused" then
    return bad.reason == "Target.NotInUse" and "target_group_unused" or nil
  end
  return health.code(bad.why)
end

local function add_target(list, ev, bad, count)
  local code, status = code_of_target(bad)
  if not code then
    return false
  end
  local known = list[code]
  local told = known and known.targets and #known.evidence >= TARGETS_TOLD
  local finding = add(list, code, {
    count = count, confidence = "certain", values = target_values(ev, bad, status),
    evidence = not told and { bad.message } or nil,
  })
  finding.targets = true
  return true
end

-- The cause among those of targets that most tasks have.
local function commonest_target(list)
  local best
  for _, finding in ipairs(list) do
    if finding.targets and (not best or finding.count > best.count) then
      best = finding
    end
  end
  return best
end

-- Tasks that were stopped as unhealthy: the reason is in an event, or the target still shows it.
local function from_unhealthy(list, ev, groups, told, shown)
  local untold, line = 0, nil
  for _, group in ipairs(groups) do
    if group.code == "targets_unhealthy" then
      line = line or group_line(group)
      for _, item in ipairs(group.tasks) do
        local id = tasks.id(item.task)
        local bad = told[id] or shown[id]
        told[id], shown[id] = nil, nil
        untold = untold + (bad and add_target(list, ev, bad, 1) and 0 or 1)
      end
    end
  end
  local best = commonest_target(list)
  if untold > 0 and best then
    best.count = best.count + untold
  elseif untold > 0 then
    add(list, "targets_unhealthy", { count = untold, confidence = "certain" })
  end
  local explained = best or list.targets_unhealthy
  if line and explained then
    table.insert(explained.evidence, 1, line)
  end
end

-- Unhealthy by events and targets, of tasks that are not among the stopped: they still run, or ECS has
-- forgotten them. An event about a task that runs well now is past.
local function from_other_targets(list, ev, told, shown)
  local running = {}
  for _, task in ipairs(ev.running) do
    running[tasks.id(task)] = true
  end
  for _, bad in pairs(shown) do
    add_target(list, ev, bad, 1)
  end
  for id, bad in pairs(told) do
    if not running[id] and not ev.foreign[id] and bad.at >= ev.from then
      add_target(list, ev, bad, 1)
    end
  end
end

local function add_check_line(list, ev)
  for _, finding in ipairs(list) do
    if finding.targets then
      table.insert(finding.evidence, health.check_line(group_about(ev, finding.values.target_group).about))
    end
  end
end

local function from_targets(list, ev, groups)
  local everyone = table.move(ev.running, 1, #ev.running, #ev.stopped + 1, { table.unpack(ev.stopped) })
  local told, shown = health.events(ev.events), health.targets(ev.groups, everyone)
  from_unhealthy(list, ev, groups, told, shown)
  from_other_targets(list, ev, told, shown)
  add_check_line(list, ev)
end

-- ---- what the scheduler's events say -------------------------------------------------------------

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
  local finding = add(list, code, {
    count = 1, confidence = past and "possible" or "certain", values = values, evidence = { event.message },
  })
  finding.by_event = true
end

local by_event = {
  { "was unable to place a task", function(list, ev, event)
    local reason = event.message:match("Reason: (.*)$") or event.message
    local code = texts.code(event.message) or "unknown"
    if list[code] == nil or list[code].by_event then
      local values = values_of_text(reason)
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

local function from_events(list, ev)
  for _, event in ipairs(ev.events) do
    for _, rule in ipairs(by_event) do
      if event.message:find(rule[1], 1, true) then
        rule[2](list, ev, event)
        break
      end
    end
  end
end

-- ---- what the service deployment says ------------------------------------------------------------

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
  add(list, "alarm_triggered", {
    count = 1, confidence = "certain", values = { alarm = names[1] }, evidence = lines,
  })
end

local function from_hooks(list, ev)
  local record = ev.record or {}
  for _, hook in ipairs(record.lifecycle_hook_details or {}) do
    local failed = hook.status == "FAILED" or hook.status == "TIMED_OUT"
    if failed or hook.status == "AWAITING_ACTION" then
      add(list, failed and "hook_failed" or "hook_waits", {
        count = 1, confidence = "certain",
        values = { hook = failed and (hook.target_arn or hook.hook_id) or hook.hook_id,
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
    add(list, "service_deleted", {
      confidence = "certain", evidence = { ("service %s is %s"):format(ev.name, ev.service.status) },
    })
  elseif reason:find("user request", 1, true) or record.status == "ROLLBACK_REQUESTED" then
    add(list, "rolled_back_by_request", { confidence = "certain", evidence = { record.status .. ": " .. reason } })
  elseif record.status == "STOPPED" and reason:find("newer", 1, true) then
    add(list, "superseded", { confidence = "certain", evidence = { "STOPPED: " .. reason } })
  elseif not ev.complete and newer_than(ev) and (not ev.record or record.status == "STOPPED") then
    local newer = newer_than(ev)
    add(list, "superseded", {
      confidence = "certain", evidence = { ("deployment %s is newer"):format(newer.id) },
    })
  end
end

-- ---- when nothing else explains ------------------------------------------------------------------

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

local function from_nothing(list, ev)
  if has_cause(list) or ev.complete then
    return
  elseif failed_count(ev) > 0 then
    add(list, "tasks_failed", { count = 1, confidence = "likely", values = { failed = failed_count(ev) } })
  elseif ended_badly(ev) then
    add(list, "unknown", {
      count = 1, confidence = "possible", evidence = { ev.record and ev.record.status_reason },
    })
  elseif ev.record or ev.listed then
    add(list, "still_in_progress", {
      confidence = "certain", evidence = waiting_lines(ev), values = { age = duration(ev.now - ev.created_at) },
    })
  end
end

-- ---- order ---------------------------------------------------------------------------------------

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
    table.insert(first.evidence, ("%s of other deployments stopped for the same reason since: it may not be this revision's fault"):format(
      plural(count, "task")
    ))
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

--- What tasks, targets and events say, not yet in order: a list of { code, count, confidence, evidence, values }
-- that is also a map by code. `groups` is what tasks.groups gives.
function findings.collect(ev, groups)
  local list = {}
  for _, group in ipairs(groups) do
    if group.code and group.code ~= "targets_unhealthy" then
      from_group(list, group)
    end
  end
  from_running(list, ev)
  from_targets(list, ev, groups)
  from_events(list, ev)
  return list
end

--- The findings in order, the likeliest first. `hints` is what moonbook.explain.log read in the log of `task`,
-- both nil when there is none.
function findings.conclude(list, ev, task, hints)
  list = starts.refine(list, ev, task, hints)
  from_alarms(list, ev)
  from_hooks(list, ev)
  from_the_end(list, ev)
  from_nothing(list, ev)
  list = without_past(ranked(list), ev)
  add_breaker(list, ev)
  add_others(list, ev)
  return list
end

return findings
