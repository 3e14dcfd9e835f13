--- Judges the evidence that moonbook.explain.gather has read: findings, and their order. Pure: nothing here
-- calls AWS.
--
-- Tasks speak first (stop reasons, exit codes, targets), then events of the scheduler, then the service
-- deployment itself. The circuit breaker only counts what others say: it is evidence, never a cause.

local collect = require "moonbook.explain.collect"
local ending = require "moonbook.explain.ending"
local health = require "moonbook.explain.health"
local obstacles = require "moonbook.explain.obstacles"
local order = require "moonbook.explain.order"
local starts = require "moonbook.explain.starts"
local tasks = require "moonbook.explain.tasks"
local texts = require "moonbook.explain.texts"

local findings = {}

local function short(text, limit)
  text = tostring(text or ""):gsub("%s+", " ")
  return #text > limit and text:sub(1, limit) .. "..." or text
end

-- ---- what tasks say -------------------------------------------------------------------------------

local function group_line(group)
  local parts = { ("%s stopped: %s: %s"):format(
    collect.plural(group.count, "task"), group.stop_code or "no stop code", short(group.reason, 600)
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

local function from_group(list, group)
  local why = group.tasks[1].why
  local values = texts.values((why.container_reason or "") .. " " .. (group.reason or ""))
  values.container, values.exit_code, values.reason = group.container, group.exit_code, group.reason
  collect.add(list, group.code, {
    count = group.count, confidence = why.confidence, values = values, evidence = group_evidence(group),
  })
end

local function from_running(list, ev)
  for _, task in ipairs(ev.running) do
    local why = tasks.classify(task, ev.definition)
    if why then
      collect.add(list, why.code, {
        count = 1, confidence = why.confidence, values = { container = why.container },
        evidence = { ("task %s runs and is UNHEALTHY"):format(tasks.id(task)) },
      })
    end
  end
end

-- ---- what the load balancer says ------------------------------------------------------------------

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
  local finding = collect.add(list, code, {
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
    collect.add(list, "targets_unhealthy", { count = untold, confidence = "certain" })
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

-- ---- for others -----------------------------------------------------------------------------------

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
  obstacles.add(list, ev)
  return list
end

--- The findings in order, the likeliest first. `hints` is what moonbook.explain.log read in the log of `task`,
-- both nil when there is none.
function findings.conclude(list, ev, task, hints)
  list = starts.refine(list, ev, task, hints)
  ending.add(list, ev)
  starts.refine_forgotten(list, hints)
  return order.of(list, ev)
end

return findings
