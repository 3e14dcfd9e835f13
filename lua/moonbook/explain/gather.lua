--- Which deployment is meant, and the evidence there is of it: the first half of moonbook.explain. The
-- second half, moonbook.explain.findings, judges it.
--
-- Uses what moonbook.explain.read and moonbook.services use.

local read = require "moonbook.explain.read"
local services = require "moonbook.services"
local tasks = require "moonbook.explain.tasks"

local gather = {}

local SLACK = 60 -- seconds by which the times of the same deployment may differ
local BORN_TOGETHER = 10 -- seconds between a deployment and its service deployment
local LONGEST = 24 * 3600 -- seconds within which a deployment that fails has failed
local SLOW = 600 -- seconds after which a deployment without failures is worth a look
local TASKS_KEPT = 3600 -- seconds for which ECS remembers stopped tasks

local OVER = { SUCCESSFUL = true, STOPPED = true, ROLLBACK_SUCCESSFUL = true, ROLLBACK_FAILED = true }

-- ---- which service deployment --------------------------------------------------------------------

-- What the service lists of a deployment that began at this time, or nil.
local function listed_at(ev, created_at)
  for _, deployment in ipairs(ev.service.deployments or {}) do
    if deployment.created_at and math.abs(deployment.created_at - created_at) <= BORN_TOGETHER then
      return deployment
    end
  end
  return nil
end

local function has_failures(ev, record)
  local breaker = record.deployment_circuit_breaker or {}
  local listed = listed_at(ev, record.created_at)
  return (breaker.failure_count or 0) > 0 or listed ~= nil and (listed.failed_tasks or 0) > 0
end

-- A deployment that a newer one ended: `newer` was created when it stopped.
local function was_superseded(record, newer)
  local ended = record.stopped_at or record.finished_at
  return record.status == "STOPPED" and newer ~= nil and ended ~= nil
    and math.abs(newer.created_at - ended) <= BORN_TOGETHER
end

local function in_trouble(ev, record, newer)
  if OVER[record.status] then
    return not was_superseded(record, newer)
  elseif record.status:find("^ROLLBACK") then
    return true
  end
  return has_failures(ev, record) or ev.now - record.created_at > SLOW
end

-- The newest in trouble since the last that went well; else the newest that is under way.
local function pick(ev, records)
  local under_way
  for index, record in ipairs(records) do
    if record.status == "SUCCESSFUL" then
      break
    elseif in_trouble(ev, record, records[index - 1]) then
      return record
    elseif not OVER[record.status] then
      under_way = under_way or record
    end
  end
  return under_way
end

local function newest_first(records)
  table.sort(records, function(a, b)
    return a.created_at > b.created_at
  end)
  return records
end

local function described(ev, rows)
  local arns = {}
  for index, row in ipairs(rows or {}) do
    arns[index] = row.service_deployment_arn
  end
  return newest_first(read.service_deployments(ev, arns))
end

-- Those since the last that went well: a service that was deployed to for months has many before.
local function since_success(rows)
  local out = {}
  for _, row in ipairs(rows or {}) do
    out[#out + 1] = row
    if row.status == "SUCCESSFUL" then
      break
    end
  end
  return out
end

-- The newest that the events say has failed. It need not be listed any more.
local function fallen(ev)
  for _, event in ipairs(ev.service.events or {}) do -- newest first
    local failed = event.message:match("%(deployment (ecs%-svc/%d+)%) deployment failed")
    if failed then
      return { id = failed, rollout_state = "FAILED" }
    end
  end
  return nil
end

-- What was put back completed anew; what was deployed after a failure completed for the first time.
local function deployed_since(ev, failed)
  local primary = services.primary(ev.service)
  for _, event in ipairs(ev.service.events or {}) do
    if event.message:find("rolling back to deployment " .. primary.id, 1, true) then
      return false
    elseif event.message:find(failed.id, 1, true) then
      return primary.id ~= failed.id and primary.rollout_state == "COMPLETED"
    end
  end
  return false
end

local function choose_without_history(ev)
  local failed = fallen(ev)
  if failed and not deployed_since(ev, failed) then
    return services.deployment(ev.service, failed.id) or failed
  end
  return services.primary(ev.service)
end

-- Nobody said which: the one in trouble, or the primary one.
local function choose(ev)
  local primary = services.primary(ev.service)
  if not primary then
    return
  end
  local rows = read.history(ev, { after = primary.created_at - SLACK })
  ev.record = pick(ev, described(ev, since_success(rows)))
  if not ev.record then
    ev.listed = rows and rows[1] and primary or choose_without_history(ev)
  end
end

-- The service deployment that was created nearest to the given one, of the same task definition if told.
local function nearest(ev, wanted)
  local rows = read.history(ev, { after = wanted.created_at - SLACK, before = wanted.created_at + 2 * SLACK })
  local revisions, best, distance = {}, nil, nil
  if rows and #rows > 1 and wanted.task_definition then
    local arns = {}
    for index, row in ipairs(rows) do
      arns[index] = row.target_service_revision_arn
    end
    revisions = read.revisions(ev, arns)
  end
  for _, row in ipairs(rows or {}) do
    local revision = revisions[row.target_service_revision_arn]
    local other = revision and revision.task_definition ~= wanted.task_definition
    local away = math.abs(row.created_at - wanted.created_at) + (other and 1000 or 0)
    if not distance or away < distance then
      best, distance = row, away
    end
  end
  return best and read.service_deployments(ev, { best.service_deployment_arn })[1]
end

-- A deployment's first task is made within a minute, unless there is no room for it.
local function first_task(list, id)
  local first
  for _, task in ipairs(list or {}) do
    if id and task.started_by == id and (not first or task.created_at < first.created_at) then
      first = task
    end
  end
  return first or {}
end

local function failed_event(ev, id)
  for _, event in ipairs(ev.service.events or {}) do
    if id and event.message:find("(deployment " .. id .. ") deployment failed", 1, true) then
      return event
    end
  end
  return nil
end

-- Of a deployment that only the event of its failure still names: the newest that began before it.
local function begun_before(ev, at)
  local rows = read.history(ev, { after = at - LONGEST, before = at })
  return rows and rows[1] and read.service_deployments(ev, { rows[1].service_deployment_arn })[1]
end

local function find_wanted(ev, wanted, list)
  ev.listed = wanted.id and services.deployment(ev.service, wanted.id)
  local listed, first = ev.listed or {}, first_task(list, wanted.id)
  local created_at = wanted.created_at or listed.created_at or first.created_at
  if wanted.arn then
    ev.record = read.service_deployments(ev, { wanted.arn })[1]
  elseif created_at then
    ev.record = nearest(ev, {
      created_at = created_at,
      task_definition = wanted.task_definition or listed.task_definition or first.task_definition_arn,
    })
  elseif failed_event(ev, wanted.id) then
    ev.record = begun_before(ev, failed_event(ev, wanted.id).created_at)
  end
end

-- ---- its name among the tasks --------------------------------------------------------------------

-- No field joins "ecs-svc/..." to a service deployment; the event of its failure names the one.
local function id_from_events(ev)
  local found
  for _, event in ipairs(ev.service.events or {}) do -- newest first: the last that fits is the oldest
    local id = event.message:match("%(deployment (ecs%-svc/%d+)%) deployment failed")
    if id and event.created_at >= ev.record.created_at then
      found = id
    end
  end
  return found
end

local function id_from_tasks(ev, list)
  local wanted = ev.target and ev.target.task_definition
  local first = {}
  for _, task in ipairs(list or {}) do
    local id = task.started_by
    if id and (not first[id] or task.created_at < first[id].created_at) then
      first[id] = task
    end
  end
  for id, task in pairs(first) do
    local listed = services.deployment(ev.service, id)
    local older = listed and listed.created_at < ev.record.created_at - BORN_TOGETHER
    if not older and task.created_at >= ev.record.created_at - 1
      and (not wanted or task.task_definition_arn == wanted) then
      return id
    end
  end
  return nil
end

local function name(ev, wanted, list)
  if wanted and wanted.id then
    return wanted.id
  elseif ev.listed or not ev.record then
    return ev.listed and ev.listed.id
  end
  local listed = listed_at(ev, ev.record.created_at)
  if listed then
    ev.listed = listed
    return listed.id
  end
  return id_from_events(ev) or id_from_tasks(ev, list)
end

-- ---- its time ------------------------------------------------------------------------------------

local function failed_at(ev)
  local event = failed_event(ev, ev.id)
  if event then
    return event.created_at
  end
  local record = ev.record or {}
  return record.rollback and record.rollback.started_at or record.status ~= "SUCCESSFUL" and record.finished_at or nil
end

-- When what happened to the service was this deployment's business.
local function set_window(ev, wanted, list)
  local began = ev.record and ev.record.created_at or ev.listed and ev.listed.created_at
    or wanted and wanted.created_at or first_task(list, ev.id).created_at or ev.now - TASKS_KEPT
  ev.created_at = began
  local listed, record = ev.listed or {}, ev.record or {}
  local complete = listed.rollout_state == "COMPLETED" or record.status == "SUCCESSFUL"
  ev.complete = complete
  ev.from = complete and math.max(began, ev.now - TASKS_KEPT) or began - 1
  ev.ended_at = failed_at(ev)
  ev.to = ev.ended_at and ev.ended_at + 5 or math.huge
end

local function events_in_window(ev)
  local out = {}
  for _, event in ipairs(ev.service.events or {}) do
    if event.created_at >= ev.from and event.created_at <= ev.to then
      out[#out + 1] = event
    end
  end
  return out
end

-- ---- what belongs to it --------------------------------------------------------------------------

-- Where no deployment is known, as of a service that ECS does not deploy itself, all tasks are meant.
local function split_tasks(ev, list)
  ev.stopped, ev.running, ev.foreign = {}, {}, {}
  ev.tasks_unread = list == nil
  for _, task in ipairs(list or {}) do
    if ev.id ~= nil and task.started_by ~= ev.id then
      ev.foreign[tasks.id(task)] = task
    elseif task.desired_status == "STOPPED" or task.last_status == "STOPPED" then
      table.insert(ev.stopped, task)
    else
      table.insert(ev.running, task)
    end
  end
  table.sort(ev.stopped, function(a, b)
    return (a.stopping_at or a.created_at) < (b.stopping_at or b.created_at)
  end)
end

-- The revision that ran before: what ECS goes back to, else the newest of the sources.
local function source_arn(record)
  if record.rollback and record.rollback.service_revision_arn then
    return record.rollback.service_revision_arn
  end
  local sources = record.source_service_revisions or {}
  return sources[1] and sources[1].arn
end

local function read_revisions(ev)
  local record = ev.record
  if not record then
    return
  end
  local target = record.target_service_revision and record.target_service_revision.arn
  local source = source_arn(record)
  local arns = { target }
  if source and source ~= target then
    arns[#arns + 1] = source
  end
  local found = read.revisions(ev, arns)
  ev.target, ev.source = found[target], source ~= target and found[source] or nil
end

-- Without history: the other deployment that the service lists is the one before.
local function previous_definition(ev)
  if ev.source then
    return ev.source.task_definition
  end
  for _, other in ipairs(not ev.record and ev.service.deployments or {}) do
    if other.id ~= ev.id and (other.created_at or 0) < ev.created_at then
      return other.task_definition
    end
  end
  return nil
end

local function read_definitions(ev, wanted)
  local arn = ev.target and ev.target.task_definition
    or ev.listed and ev.listed.task_definition
    or wanted and wanted.task_definition
    or ev.stopped[1] and ev.stopped[1].task_definition_arn
  local before = previous_definition(ev)
  ev.task_definition = arn
  ev.definition = read.definition(ev, arn)
  ev.previous_definition = before == arn and ev.definition or read.definition(ev, before)
end

local function read_target_groups(ev)
  ev.balancers = ev.target and ev.target.load_balancers or ev.service.load_balancers or {}
  ev.groups = {}
  for _, balancer in ipairs(ev.balancers) do
    if balancer.target_group_arn then
      local group = read.target_group(ev, balancer.target_group_arn)
      group.port, group.container = balancer.container_port, balancer.container_name
      table.insert(ev.groups, group)
    end
  end
end

local function read_alarms(ev)
  local watched = ev.record and ev.record.alarms or {}
  local names = watched.triggered_alarm_names or {}
  if #names > 0 then
    ev.alarms = read.alarms(ev, names)
  end
end

--- Reads everything but the logs. Takes what explain.deployment takes; raises when there is no such service.
-- Gives the evidence, which findings.lua says how it uses:
--   cluster, name, now, service        the service as described
--   record, target, source             the service deployment and its revisions, nil when not known
--   id, listed                         "ecs-svc/...", and that deployment as the service lists it
--   created_at, ended_at, complete     when it began and failed; whether it came to a good end
--   events                             of its time, newest first
--   stopped, running, foreign          its tasks, the first to stop first; all other tasks by id
--   definition, previous_definition    task definitions
--   groups                             target groups: { arn, about, targets, port, container }
--   alarms                             those that failed it
--   log_group_exists                   set by explain.lua when it matters
--   unread                             lines: what could not be read, and why
function gather.evidence(options)
  local wanted = options.deployment
  if wanted and not (wanted.id or wanted.arn or wanted.created_at) then
    error({
      code = "BadArgument", message = "deployment: none of id, arn and created_at is given",
      next = "leave deployment out to explain the one that is in trouble",
    })
  end
  local service, why = services.find(options.cluster, options.service)
  if not service then
    error({ code = "NoSuchService", message = why, next = "aws ecs list-services --cluster " .. options.cluster })
  end
  local ev = { cluster = options.cluster, name = options.service, service = service, now = now(), unread = {} }
  local list = read.tasks(ev.cluster, ev.name, ev.unread)
  if wanted then
    find_wanted(ev, wanted, list)
  else
    choose(ev)
  end
  read_revisions(ev)
  ev.id = (wanted or ev.record or ev.listed) and name(ev, wanted, list) or nil
  set_window(ev, wanted, list)
  ev.events = events_in_window(ev)
  split_tasks(ev, list)
  read_definitions(ev, wanted)
  read_target_groups(ev)
  read_alarms(ev)
  return ev
end

return gather
