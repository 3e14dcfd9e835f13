--- What the log of one task adds: why an application ended, and whether one that is found unhealthy never
-- listens or only needs longer. Pure.

local starts = {}

-- ---- changing findings ---------------------------------------------------------------------------

-- Turns a finding into one of another cause; what was certain of the old one keeps its place in the order.
local function becomes(list, finding, code, confidence)
  finding.basis, finding.was = finding.confidence, finding.was or finding.code
  finding.confidence = confidence
  local other = list[code]
  list[finding.code] = nil
  finding.code = code
  if not other then
    list[code] = finding
    return finding
  end
  other.count = other.count + finding.count
  table.move(finding.evidence, 1, #finding.evidence, #other.evidence + 1, other.evidence)
  for index, item in ipairs(list) do
    if item == finding then
      table.remove(list, index)
      break
    end
  end
  return other
end

local function quote(finding, hint)
  table.insert(finding.evidence, "its log: " .. hint.line)
end

local function also(list, code, evidence)
  if not list[code] then
    local finding = { code = code, count = 0, confidence = "possible", evidence = evidence, values = {} }
    list[code], list[#list + 1] = finding, finding
  end
end

-- ---- ends ----------------------------------------------------------------------------------------

local ENDED = { "app_crashed", "app_exited", "container_killed", "app_segfault", "app_terminated" }

-- The hint that stands last in the log: what a program says last is nearest to why it ended.
local function last_of(...)
  local last
  for _, hint in ipairs { ... } do
    if not last or (hint.at or 0) >= (last.at or 0) then
      last = hint
    end
  end
  return last
end

local function why_ended(code, hints)
  if hints.wrong_platform then
    return "image_wrong_architecture", hints.wrong_platform
  elseif hints.heap then
    return "out_of_memory", hints.heap
  elseif code ~= "app_crashed" and code ~= "app_exited" then
    return nil
  end
  local hint = last_of(hints.setting or hints.dependency, hints.dependency)
  if hint then
    return hint == hints.setting and "configuration_missing" or "dependency_unreachable", hint
  end
  return nil
end

local function refine_end(list, finding, hints)
  local better, hint = why_ended(finding.code, hints)
  if better then
    finding.values.setting = type(hint.value) == "string" and hint.value or nil
    quote(becomes(list, finding, better, "likely"), hint)
  elseif hints.last then
    table.insert(finding.evidence, "its log ends: " .. hints.last.line)
  end
end

local function refine_ends(list, hints)
  for _, code in ipairs(ENDED) do
    local finding = list[code]
    if finding and finding.values.container == hints.container then
      refine_end(list, finding, hints)
    end
  end
end

-- ---- not listening -------------------------------------------------------------------------------

local function target_group(ev, arn)
  for _, group in ipairs(ev.groups) do
    if group.arn == arn then
      return group
    end
  end
  return { about = {} }
end

local function checks_other_port(finding)
  local asked = tonumber(finding.values.health_port)
  return asked ~= nil and finding.values.port ~= nil and asked ~= finding.values.port
end

-- Seconds that a task gets before it can be stopped as unhealthy.
local function allowed(ev, about)
  local grace = ev.service.health_check_grace_period_seconds or 0
  local failing = (about.unhealthy_threshold_count or 0) * (about.health_check_interval_seconds or 0)
  return math.max(grace, failing)
end

local function up_since(task)
  return task.pull_stopped_at or task.started_at or task.created_at
end

-- Whether the task listened only when it was already being stopped, or about to be.
local function listened_late(ev, task, listening, patience)
  local stopped = task.stopping_at or ev.ended_at or ev.now
  return listening.at ~= nil and (listening.at >= stopped or listening.at - up_since(task) > patience)
end

local function round_up(seconds, step)
  return math.ceil(seconds / step) * step
end

local function call_slow(ev, list, finding, task, patience, hint, confidence)
  finding.values.allowed = patience
  if confidence == "certain" and not task.forgotten then
    finding.values.grace_wanted = round_up((hint.at - up_since(task)) * 1.5, 30)
  end
  finding = becomes(list, finding, "slow_start", confidence)
  quote(finding, hint)
  if hint.at and not task.forgotten then
    local late = math.floor(hint.at - up_since(task))
    table.insert(finding.evidence, ("written %d seconds after the container was up"):format(late))
  end
  if ev.service.health_check_grace_period_seconds then
    table.insert(finding.evidence, ("grace period: %d seconds"):format(ev.service.health_check_grace_period_seconds))
  end
end

-- What the log says of a container that is found not to listen, or to fail its own check.
local function judge_silence(ev, list, finding, task, hints, patience)
  local listening = hints.listening
  local elsewhere = listening and finding.values.port and listening.port and listening.port ~= finding.values.port
  if listening and listened_late(ev, task, listening, patience) then
    call_slow(ev, list, finding, task, patience, listening, "certain")
  elseif elsewhere or listening and listening.localhost then
    quote(finding, listening)
  elseif listening then
    finding.confidence = "likely"
    quote(finding, listening)
  elseif hints.dependency then
    quote(becomes(list, finding, "dependency_unreachable", "likely"), hints.dependency)
  elseif hints.starting then
    call_slow(ev, list, finding, task, patience, hints.starting, "likely")
  else
    return false
  end
  return true
end

-- Within the grace period nothing is wrong yet with an application that does not listen.
local function may_still_come(ev)
  return #ev.stopped == 0 and not ev.ended_at and not ev.complete
    and ev.now - ev.created_at < 120 + (ev.service.health_check_grace_period_seconds or 0)
end

local function refine_listening(list, ev, task, hints)
  local finding = list.app_not_listening
  if not finding then
    return
  end
  local patience = allowed(ev, target_group(ev, finding.values.target_group).about)
  if checks_other_port(finding) then
    becomes(list, finding, "health_port_wrong", "certain")
  elseif may_still_come(ev) then
    finding.confidence = "possible"
  elseif not (task and hints) or not judge_silence(ev, list, finding, task, hints, patience) then
    finding.basis, finding.confidence = finding.confidence, "likely"
    if hints and hints.last then
      table.insert(finding.evidence, "its log ends: " .. hints.last.line)
    end
    also(list, "slow_start", { ("the log does not tell how far it has come; a task gets %d seconds"):format(patience) })
  end
end

-- Seconds for which the failing check of a container does not end the task.
local function check_patience(ev, name)
  for _, container in ipairs(ev.definition and ev.definition.container_definitions or {}) do
    local check = container.name == name and container.health_check
    if check then
      local failing = (check.retries or 3) * (check.interval or 30)
      local start = (check.start_period or 0) + failing
      return math.max(start, ev.service.health_check_grace_period_seconds or 0)
    end
  end
  return 0
end

local function refine_container_check(list, ev, task, hints)
  local finding = list.container_check_failed
  if not finding or not task or not hints or hints.container ~= finding.values.container then
    return
  end
  local patience, listening = check_patience(ev, hints.container), hints.listening
  if listening and listened_late(ev, task, listening, patience) then
    call_slow(ev, list, finding, task, patience, listening, "certain")
  elseif not listening and hints.starting then
    call_slow(ev, list, finding, task, patience, hints.starting, "likely")
  end
end

--- Of tasks that failed for reasons that are gone: what the log of one of them says, into the finding tasks_failed.
function starts.refine_forgotten(list, hints)
  local finding = list.tasks_failed
  if finding and hints then
    local better, hint = why_ended("app_crashed", hints)
    if better then
      finding.values.setting = type(hint.value) == "string" and hint.value or nil
      quote(becomes(list, finding, better, "likely"), hint)
    elseif hints.last then
      table.insert(finding.evidence, "the log of one of them ends: " .. hints.last.line)
    end
  end
end

--- Makes findings say more by the log of `task`: `hints` as moonbook.explain.log gives them, with `container`,
-- the name of the container whose log it is. Changes the list, and gives it.
function starts.refine(list, ev, task, hints)
  if hints then
    refine_ends(list, hints)
  end
  refine_listening(list, ev, task, hints)
  refine_container_check(list, ev, task, hints)
  return list
end

return starts
