--- Reads for moonbook.explain: what there is to know of one deployment, each part by itself. What cannot
-- be read is noted in `unread` and does not keep the rest from being read.
--
-- Uses: ecs.list_service_deployments, ecs.describe_service_deployments, ecs.describe_service_revisions,
-- ecs.list_tasks, ecs.describe_tasks, ecs.describe_task_definition, elbv2.describe_target_groups,
-- elbv2.describe_target_health, cloudwatch.describe_alarms, logs.describe_log_groups, logs.get_log_events.

local read = {}

local TASKS_AT_ONCE = 100 -- DescribeTasks takes no more
local DEPLOYMENTS_AT_ONCE = 20 -- nor does DescribeServiceDeployments

-- Kinds of errors that say that the program is wrong, not that something cannot be read.
local OURS = { internal = true, usage = true, script = true, memory = true }

-- What a failed read comes to, in a few words.
local function why_not(err)
  if err.kind == "denied" then
    return "denied: " .. (err.operation or err.message or "?")
  end
  return ("%s: %s"):format(err.code or err.kind or "?", err.message or "?")
end

--- The answer of a read that may fail, or nil, noted in `unread` as "what: why".
function read.optional(unread, what, primitive, args)
  local answer, err = attempt(primitive, args)
  if answer then
    return answer
  elseif OURS[err.kind] then
    error(err, 0)
  elseif err.output then
    return err.output -- some of it was not found
  end
  unread[#unread + 1] = ("%s: could not be read (%s)"):format(what, why_not(err))
  return nil
end

-- As read.optional, every page.
local function every_page(unread, what, primitive, args)
  return read.optional(unread, what, function()
    return all(primitive, args)
  end)
end

-- A list in pieces of `size`.
local function pieces(list, size)
  local out = {}
  for first = 1, #list, size do
    out[#out + 1] = table.move(list, first, math.min(first + size - 1, #list), 1, {})
  end
  return out
end

-- ---- service deployments -------------------------------------------------------------------------

--- Service deployments created in a range { after, before } (seconds since 1970), newest first, as
-- ListServiceDeployments gives them; nil when they cannot be read.
function read.history(ev, range)
  local answer = every_page(ev.unread, "service deployments", ecs.list_service_deployments, {
    cluster = ev.cluster, service = ev.name, created_at = range,
  })
  local list = answer and answer.service_deployments
  if list then
    table.sort(list, function(a, b)
      return a.created_at > b.created_at
    end)
  end
  return list
end

--- Service deployments by their ARNs, in whatever order; empty when they cannot be read.
function read.service_deployments(ev, arns)
  local out = {}
  for _, some in ipairs(pieces(arns, DEPLOYMENTS_AT_ONCE)) do
    local answer = read.optional(ev.unread, "service deployments", ecs.describe_service_deployments, {
      service_deployment_arns = some,
    })
    for _, found in ipairs(answer and answer.service_deployments or {}) do
      out[#out + 1] = found
    end
  end
  return out
end

--- Service revisions by their ARNs: a map.
function read.revisions(ev, arns)
  local out = {}
  for _, some in ipairs(pieces(arns, DEPLOYMENTS_AT_ONCE)) do
    local answer = read.optional(ev.unread, "service revisions", ecs.describe_service_revisions, {
      service_revision_arns = some,
    })
    for _, found in ipairs(answer and answer.service_revisions or {}) do
      out[found.service_revision_arn] = found
    end
  end
  return out
end

-- ---- tasks ---------------------------------------------------------------------------------------

--- The service's tasks, of all its deployments: those that are to run, and those that stopped within the last
-- hour or are about to. nil when they cannot be read.
function read.tasks(cluster, name, unread)
  local arns = {}
  for _, status in ipairs { "RUNNING", "STOPPED" } do
    local answer = every_page(unread, "tasks", ecs.list_tasks, {
      cluster = cluster, service_name = name, desired_status = status,
    })
    if not answer then
      return nil
    end
    table.move(answer.task_arns or {}, 1, #(answer.task_arns or {}), #arns + 1, arns)
  end
  local out = {}
  for _, some in ipairs(pieces(arns, TASKS_AT_ONCE)) do
    local answer = read.optional(unread, "tasks", ecs.describe_tasks, { cluster = cluster, tasks = some })
    for _, task in ipairs(answer and answer.tasks or {}) do
      out[#out + 1] = task
    end
  end
  return out
end

--- A task definition, or nil.
function read.definition(ev, arn)
  if not arn then
    return nil
  end
  local answer = read.optional(ev.unread, "task definition", ecs.describe_task_definition, { task_definition = arn })
  return answer and answer.task_definition
end

-- ---- load balancer, alarms, logs -----------------------------------------------------------------

--- A target group: { arn, about = as DescribeTargetGroups gives it, targets = as DescribeTargetHealth does }.
function read.target_group(ev, arn)
  local about = read.optional(ev.unread, "target group", elbv2.describe_target_groups, { target_group_arns = { arn } })
  local health = read.optional(ev.unread, "target health", elbv2.describe_target_health, { target_group_arn = arn })
  return {
    arn = arn,
    about = about and about.target_groups and about.target_groups[1] or {},
    targets = health and health.target_health_descriptions or {},
  }
end

--- Metric alarms by name.
function read.alarms(ev, names)
  local answer = read.optional(ev.unread, "alarms", cloudwatch.describe_alarms, { alarm_names = names })
  return answer and answer.metric_alarms or {}
end

--- Whether a log group exists; nil when that cannot be read.
function read.log_group_exists(ev, group)
  local answer = every_page(ev.unread, "log group", logs.describe_log_groups, { log_group_name_prefix = group })
  if not answer then
    return nil
  end
  for _, found in ipairs(answer.log_groups or {}) do
    if found.log_group_name == group then
      return true
    end
  end
  return false
end

--- Where a container writes its log: { group, stream }, or nil and why that cannot be told.
function read.log_place(definition, name, task_id)
  for _, container in ipairs(definition and definition.container_definitions or {}) do
    if container.name == name then
      local log = container.log_configuration
      local options = log and log.options or {}
      if not log or log.log_driver ~= "awslogs" then
        local driver = log and log.log_driver or "none"
        return nil, ("container %s writes to no log group (log driver %s)"):format(name, driver)
      elseif not options["awslogs-stream-prefix"] then
        return nil, ("the log streams of container %s have no prefix (awslogs-stream-prefix)"):format(name)
      end
      return {
        group = options["awslogs-group"],
        stream = ("%s/%s/%s"):format(options["awslogs-stream-prefix"], name, task_id),
      }
    end
  end
  return nil, ("the definition of container %s is not known"):format(name)
end

--- The last `count` events of a log stream, oldest first, as GetLogEvents gives them; nil when there are none.
function read.log_events(ev, place, count)
  local answer, err = attempt(logs.get_log_events, {
    log_group_name = place.group, log_stream_name = place.stream, limit = count, start_from_head = false,
  })
  if answer then
    return answer.events
  elseif OURS[err.kind] then
    error(err, 0)
  end
  local gone = err.code == "ResourceNotFoundException"
  local why = gone and "the container has written nothing" or "could not be read (" .. why_not(err) .. ")"
  ev.unread[#ev.unread + 1] = ("log %s %s: %s"):format(place.group, place.stream, why)
  return nil
end

return read
