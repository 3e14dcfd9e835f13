--- Why a deployment, or a service, is failing or has failed.
--
--     local explain = require "moonbook.explain"
--     local why = explain.deployment { cluster = c, service = s, deployment = { id = started.id } }
--     for _, line in ipairs(explain.lines(why)) do
--       log.info(line)
--     end
--
-- It only reads. What may not be read, or is gone, is listed in `unread`; the rest is explained all the same.
-- Causes come from the closed list moonbook.explain.causes (docs/causes.md). ECS forgets stopped tasks after an
-- hour: ask as soon as something has failed.
--
-- Of high CPU or memory as the reason of slow answers it knows nothing: that takes the service's metrics.
--
-- Uses: ecs.describe_services, ecs.list_service_deployments, ecs.describe_service_deployments,
-- ecs.describe_service_revisions, ecs.list_tasks, ecs.describe_tasks, ecs.describe_task_definition,
-- elbv2.describe_target_groups, elbv2.describe_target_health, cloudwatch.describe_alarms,
-- logs.describe_log_groups, logs.get_log_events. explain.hopeless: ecs.list_tasks, ecs.describe_tasks.

local causes = require "moonbook.explain.causes"
local changes = require "moonbook.explain.changes"
local context = require "moonbook.explain.context"
local findings = require "moonbook.explain.findings"
local forgotten = require "moonbook.explain.forgotten"
local gather = require "moonbook.explain.gather"
local log_hints = require "moonbook.explain.log"
local read = require "moonbook.explain.read"
local sentences = require "moonbook.explain.sentences"
local tasks = require "moonbook.explain.tasks"
local texts = require "moonbook.explain.texts"

local explain = {}

local LOG_LINES = 50

--- Every cause there is, by its code: see moonbook.explain.causes.
explain.causes = causes

--- Why one task stopped, from its description alone: see moonbook.explain.tasks. Calls nothing.
explain.classify = tasks.classify

-- ---- the log -------------------------------------------------------------------------------------

-- Codes of stopped tasks whose containers ran, so that there may be a log.
local RAN = {
  app_crashed = true, app_exited = true, app_segfault = true, app_terminated = true, container_killed = true,
  out_of_memory = true, entry_point_missing = true, targets_unhealthy = true, container_check_failed = true,
}

local function is_failing(ev, list)
  local failing = ev.alarms ~= nil
  for _, finding in ipairs(list) do
    failing = failing or finding.targets or finding.code == "container_check_failed"
  end
  return failing
end

-- The task and container whose log tells most: the first to stop of the largest group that ran; else one that
-- runs and is found unhealthy; else one that ECS has forgotten and events still name.
local function whose_log(ev, groups, list)
  for _, group in ipairs(groups) do
    local first = group.tasks[1]
    if RAN[group.code] and first.task.pull_stopped_at then
      return first.task, group.code ~= "targets_unhealthy" and first.why.container or context.main_container(ev)
    end
  end
  local any = ev.running[1] or ev.stopped[1]
  local unexplained = #list == 0 and not ev.complete
  if not any and (unexplained or is_failing(ev, list)) then
    any = forgotten.task(ev)
  end
  if any and any.pull_stopped_at and (any.forgotten or is_failing(ev, list)) then
    return any, context.main_container(ev)
  end
  return nil
end

-- Reads the log. Gives { group, stream, lines } or nil, and what it hints at.
local function read_log(ev, task, container, count)
  if not task or not container then
    return nil
  end
  local place, why = read.log_place(ev.definition, container, tasks.id(task))
  if not place then
    ev.unread[#ev.unread + 1] = "log: " .. why
    return nil
  end
  local events = read.log_events(ev, place, count)
  local hints = log_hints.hints(events)
  hints.container = container
  if not events then
    return nil, hints
  end
  place.lines = log_hints.lines(events)
  return place, hints
end

local function about_log_group(code)
  return code == "log_group_missing" or code == "logs_unreachable"
end

local function mentions_log_group(ev, groups)
  for _, group in ipairs(groups) do
    if about_log_group(group.code) then
      return true
    end
  end
  for _, event in ipairs(ev.events) do
    if about_log_group(texts.code(event.message)) then
      return true
    end
  end
  return false
end

-- ECS uses the same words for a log group that is missing and one that cannot be reached: look.
local function settle_log_group(ev, groups)
  local name = mentions_log_group(ev, groups) and context.log_group(ev)
  if not name then
    return
  end
  ev.log_group_exists = read.log_group_exists(ev, name)
  for _, group in ipairs(groups) do
    if about_log_group(group.code) and ev.log_group_exists ~= nil then
      group.code = ev.log_group_exists and "logs_unreachable" or "log_group_missing"
    end
  end
end

-- ---- the result ----------------------------------------------------------------------------------

local function public_cause(ev, finding)
  local values = context.values(ev, finding)
  return {
    code = finding.code,
    summary = sentences.summary(finding.code, values),
    confidence = finding.confidence,
    evidence = finding.evidence,
    treatment = sentences.treatment(finding.code, values),
    hopeless = causes[finding.code].hopeless or false,
    fault = causes[finding.code].fault ~= false,
  }
end

local function public_groups(groups)
  local out = {}
  for index, group in ipairs(groups) do
    out[index] = {
      count = group.count, stop_code = group.stop_code, reason = group.reason, container = group.container,
      exit_code = group.exit_code, code = group.code,
    }
  end
  return out
end

local function once_each(lines)
  local seen, out = {}, {}
  for _, line in ipairs(lines) do
    if not seen[line] then
      seen[line], out[#out + 1] = true, line
    end
  end
  return out
end

--- Explains a deployment. Takes { cluster, service, deployment, log_lines }:
--   deployment  { id = "ecs-svc/...", arn = of the service deployment, task_definition, created_at = seconds
--               since 1970 }, any of them; absent: the newest one in trouble, else the primary one
--   log_lines   how many lines of log to read, 50 unless said
-- Gives plain data:
--   deployment  { id, arn, task_definition, status, created_at }, what is explained
--   cause       the first of `causes`, or nil: nothing is wrong that could be seen
--   causes      the likeliest first: { code, summary = a sentence, confidence = "certain" | "likely" |
--               "possible", evidence = lines, treatment = lines: commands, or what to change, hopeless,
--               fault = false when nothing is wrong with the deployment itself }
--   changes     lines: what differs between what ran before and this; values of environment variables are
--               never shown
--   compared    whether what ran before could be read: without it, no `changes` say nothing
--   log         { group, stream, lines }, the last lines of the first essential container that died, or nil
--   stopped     groups of its stopped tasks: { count, stop_code, reason, container, exit_code, code }
--   unread      lines: what could not be read, and why
-- Raises when there is no such cluster or service, services cannot be described, or `deployment` names none.
function explain.deployment(options)
  local ev = gather.evidence(options)
  local groups = tasks.groups(ev.stopped, ev.definition)
  settle_log_group(ev, groups)
  local list = findings.collect(ev, groups)
  local task, container = whose_log(ev, groups, list)
  local log_read, hints = read_log(ev, task, container, options.log_lines or LOG_LINES)
  ev.log = log_read
  local out = {}
  for index, finding in ipairs(findings.conclude(list, ev, task, hints)) do
    out[index] = public_cause(ev, finding)
  end
  return {
    deployment = context.deployment(ev), cause = out[1], causes = out, changes = changes.lines(ev),
    compared = ev.definition ~= nil and ev.previous_definition ~= nil, log = log_read,
    stopped = public_groups(groups), unread = once_each(ev.unread),
  }
end

-- ---- early verdicts ------------------------------------------------------------------------------

local function classified(list, id)
  local best, counts = nil, {}
  for _, task in ipairs(list) do
    local why = task.started_by == id and tasks.classify(task)
    if why and why.confidence == "certain" then
      counts[why.code] = (counts[why.code] or 0) + 1
      if not best or counts[why.code] > counts[best.code] then
        best = why
      end
    end
  end
  return best
end

local function any_ran(list, id)
  for _, task in ipairs(list) do
    if task.started_by == id and task.started_at then
      return true
    end
  end
  return false
end

-- Bounds that leave no room are in the service's events alone. What else events say may be of other tasks.
local function bounds_block(service, since)
  for _, event in ipairs(service.events or {}) do
    if since and event.created_at >= since and texts.code(event.message) == "bounds_block" then
      return { code = "bounds_block", reason = event.message }
    end
  end
  return nil
end

local function short_cause(why, options)
  return {
    code = why.code, summary = sentences.summary(why.code, context.of_text(why, options)),
    reason = why.reason, container = why.container,
  }
end

--- Whether the bounds of a deployment under way leave no room, by the events of its service, as DescribeServices gives
-- it: nil, or what explain.hopeless gives. `since`: when the deployment began. Calls nothing.
function explain.blocked(service, since)
  local why = bounds_block(service, since)
  return why and short_cause(why, {})
end

-- How many tasks of a deployment stopped, or are about to, and say why.
local function stopped_count(list, id)
  local count = 0
  for _, task in ipairs(list) do
    if task.started_by == id and task.stop_code then
      count = count + 1
    end
  end
  return count
end

--- Whether a deployment under way cannot come right however long one waits. Takes { cluster, service = its name,
-- or as DescribeServices gives it (its events are looked at then), deployment = { id, created_at } }. Gives nil,
-- or { code, summary, reason, container }: a cause that is hopeless, of tasks none of which has ever run. Then nil, and
-- what was seen: { stopped = how many tasks of it stopped, cause = the same of most of these, hopeless or not }.
-- Calls ecs.list_tasks and ecs.describe_tasks alone; a failure of theirs gives nil and the lines that say so.
function explain.hopeless(options)
  local service = options.service
  local described = type(service) == "table"
  local unread = {}
  local list = read.tasks(options.cluster, described and service.service_name or service, unread)
  if not list then
    return nil, unread
  end
  local id = options.deployment.id
  local why = classified(list, id) or described and bounds_block(service, options.deployment.created_at)
  local seen = { stopped = stopped_count(list, id), cause = why and short_cause(why, options) or nil }
  if not why or not causes[why.code].hopeless or any_ran(list, id) then
    return nil, nil, seen
  end
  return seen.cause, nil, seen
end

-- ---- for people ----------------------------------------------------------------------------------

local function section(lines, title, list, limit)
  if not list or #list == 0 then
    return
  end
  lines[#lines + 1] = title
  for index = 1, math.min(#list, limit or #list) do
    lines[#lines + 1] = "  " .. list[index]
  end
  if limit and #list > limit then
    lines[#lines + 1] = ("  ... and %d more"):format(#list - limit)
  end
end

local CONFIDENCE = { certain = "", likely = " (likely)", possible = " (possible)" }

local function others(result)
  local lines = {}
  for index = 2, #result.causes do
    local cause = result.causes[index]
    lines[#lines + 1] = ("%s: %s%s"):format(cause.code, cause.summary, CONFIDENCE[cause.confidence])
  end
  return lines
end

--- A result of explain.deployment as lines for people: the cause, its evidence, what to do, what else, what
-- changed, and the last lines of the log. `options` may have log_lines (10), and below_cause: the cause itself is told
-- already.
function explain.lines(result, options)
  local cause, lines, below = result.cause, {}, options and options.below_cause
  if cause then
    lines[1] = not below and ("cause: %s: %s%s"):format(cause.code, cause.summary, CONFIDENCE[cause.confidence]) or nil
    section(lines, "evidence", cause.evidence, 8)
    section(lines, "what to do", cause.treatment)
  elseif not below then
    lines[1] = "cause: none found: nothing has failed that could be seen"
  end
  section(lines, "also", others(result))
  local same = result.compared and cause and { "nothing: the same task definition, images and configuration" } or {}
  section(lines, "what this deployment changed", #result.changes > 0 and result.changes or same, 20)
  local log_read, count = result.log, options and options.log_lines or 10
  if log_read then
    local all_lines = log_read.lines
    local tail = table.move(all_lines, math.max(#all_lines - count + 1, 1), #all_lines, 1, {})
    section(lines, ("last lines of %s %s"):format(log_read.group, log_read.stream), tail)
  end
  section(lines, "not read", result.unread)
  return lines
end

return explain
