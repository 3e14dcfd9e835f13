--- Why one task stopped, from its description alone; and stopped tasks in groups. Pure: nothing here calls
-- AWS.

local texts = require "moonbook.explain.texts"

local tasks = {}

-- A log group that is not there is found missing at once; a sealed network takes minutes to give up.
-- ECS uses the same words for both.
local LOG_GROUP_FOUND_MISSING = 90 -- seconds

local BY_EXIT_CODE = {
  [0] = "app_exited",
  [126] = "entry_point_missing", -- a shell found the command and could not execute it
  [127] = "entry_point_missing", -- a shell did not find the command
  [137] = "container_killed",
  [139] = "app_segfault",
  [143] = "app_terminated",
}

-- How containers end that are stopped because another one ended: not likely to be the first.
local ENDED_WITH_THE_TASK = { [0] = 2, [137] = 3, [143] = 4 }

local function verdict(code, confidence, found)
  found = found or {}
  found.code, found.confidence = code, confidence
  return found
end

-- ---- containers ----------------------------------------------------------------------------------

local function essential_names(definition)
  if not definition then
    return nil
  end
  local names = {}
  for _, container in ipairs(definition.container_definitions or {}) do
    names[container.name] = container.essential ~= false
  end
  return names
end

-- The lower, the likelier it is that this container ended the task.
local function suspicion(container)
  if texts.code(container.reason) then
    return 0
  end
  return ENDED_WITH_THE_TASK[container.exit_code] or 1
end

-- The container that ended the task, and whether others are as suspect.
local function culprit(task, definition)
  local essential = essential_names(definition)
  local best, doubtful
  for _, container in ipairs(task.containers or {}) do
    local ended = container.exit_code ~= nil or container.reason ~= nil
    if ended and (not essential or essential[container.name] ~= false) then
      if not best or suspicion(container) < suspicion(best) then
        doubtful = best ~= nil and suspicion(container) > 1
        best = container
      else
        doubtful = doubtful or suspicion(best) > 1
      end
    end
  end
  return best, doubtful == true
end

local function of_container(container, doubtful)
  local code = texts.code(container.reason)
  if code then
    return code, "certain"
  end
  local certain = not doubtful and container.exit_code ~= 126 and container.exit_code ~= 127
  return BY_EXIT_CODE[container.exit_code] or "app_crashed", certain and "certain" or "likely"
end

-- ---- ways to stop --------------------------------------------------------------------------------

local ways = {}

function ways.EssentialContainerExited(task, definition)
  local container, doubtful = culprit(task, definition)
  if not container then
    return verdict("unknown", "possible")
  end
  local code, confidence = of_container(container, doubtful)
  return verdict(code, confidence, {
    container = container.name, exit_code = container.exit_code, container_reason = container.reason,
  })
end

local function seconds_until_stop(task)
  local ended = task.stopping_at or task.stopped_at
  return ended and task.created_at and ended - task.created_at or 0
end

-- "cannot find the log group ... There is a connection issue" says two things at once.
local function which_log_trouble(task)
  if not (task.stopped_reason or ""):find("connection issue", 1, true) then
    return "log_group_missing"
  end
  local missing = seconds_until_stop(task) < LOG_GROUP_FOUND_MISSING
  return missing and "log_group_missing" or "logs_unreachable"
end

function ways.TaskFailedToStart(task)
  local found, code = {}, texts.code(task.stopped_reason)
  for _, container in ipairs(task.containers or {}) do
    if container.reason then
      found.container = found.container or container.name
      found.container_reason = found.container_reason or container.reason
      code = code or texts.code(container.reason)
    end
  end
  if code == "log_group_missing" then
    code = which_log_trouble(task)
  end
  return verdict(code or "task_setup_failed", "certain", found)
end

function ways.ServiceSchedulerInitiated(task)
  local reason = task.stopped_reason or ""
  if reason:find("failed container health checks", 1, true) then
    return verdict("container_check_failed", "certain", { container = tasks.unhealthy_container(task) })
  elseif reason:find("health checks", 1, true) then
    return verdict("targets_unhealthy", "certain")
  end
  return nil -- scaled in, replaced or rolled back: no fault of the task's
end

function ways.UserInitiated()
  return verdict("task_stopped_by_user", "certain")
end

function ways.SpotInterruption()
  return verdict("spot_interruption", "certain")
end

function ways.TerminationNotice()
  return verdict("maintenance", "certain")
end

-- ---- for others ----------------------------------------------------------------------------------

--- The name of the first container whose own health check failed, or nil.
function tasks.unhealthy_container(task)
  for _, container in ipairs(task.containers or {}) do
    if container.health_status == "UNHEALTHY" then
      return container.name
    end
  end
  return nil
end

--- Why a task stopped or is about to: { code (of moonbook.explain.causes), confidence, stop_code, reason,
-- container, exit_code, container_reason }, or nil when it runs well or was stopped for no fault of its own
-- (scaled in, replaced, rolled back). `task` is as DescribeTasks gives it; `definition`, its task definition,
-- is optional and tells which containers are essential.
function tasks.classify(task, definition)
  local found
  if task.desired_status ~= "STOPPED" and task.last_status ~= "STOPPED" then
    if task.health_status ~= "UNHEALTHY" then
      return nil
    end
    found = verdict("container_check_failed", "certain", { container = tasks.unhealthy_container(task) })
  elseif ways[task.stop_code] then
    found = ways[task.stop_code](task, definition)
  elseif task.stopped_reason then
    found = verdict(texts.code(task.stopped_reason) or "unknown", "possible")
  end
  if found then
    found.stop_code, found.reason = task.stop_code, task.stopped_reason
  end
  return found
end

--- The id of a task, of its ARN.
function tasks.id(task)
  return (task.task_arn or "?"):match("([^/]+)$")
end

--- The address of a task's network interface, or nil.
function tasks.address(task)
  for _, attachment in ipairs(task.attachments or {}) do
    for _, detail in ipairs(attachment.details or {}) do
      if detail.name == "privateIPv4Address" then
        return detail.value
      end
    end
  end
  return nil
end

-- ---- groups --------------------------------------------------------------------------------------

-- The same reason reads differently for each task: ids of tasks and requests, addresses, counts of retries.
local function without_numbers(reason)
  return (reason or ""):gsub("%x%x%x%x%x%x%x%x[%x%-]*", "#"):gsub("%d+", "#")
end

local function first_exit(task)
  for _, container in ipairs(task.containers or {}) do
    if container.exit_code ~= nil then
      return container
    end
  end
  return {}
end

local function add(groups, task, why)
  local exit = why and { name = why.container, exit_code = why.exit_code } or first_exit(task)
  local key = table.concat({
    task.stop_code or "", without_numbers(task.stopped_reason), exit.name or "", tostring(exit.exit_code),
    why and why.code or "",
  }, "\n")
  local group = groups[key]
  if not group then
    group = {
      count = 0, stop_code = task.stop_code, reason = task.stopped_reason, container = exit.name,
      exit_code = exit.exit_code, code = why and why.code, tasks = {},
    }
    groups[key] = group
    groups[#groups + 1] = group
  end
  group.count = group.count + 1
  group.tasks[#group.tasks + 1] = { task = task, why = why }
end

--- Stopped tasks by stop code, reason, container and exit code, the largest group first: a list of { count,
-- stop_code, reason, container, exit_code, code, tasks = list of { task, why } }. `code` and `why` are what
-- tasks.classify says, nil for tasks that stopped for no fault of their own.
function tasks.groups(list, definition)
  local groups = {}
  for _, task in ipairs(list) do
    add(groups, task, tasks.classify(task, definition))
  end
  local ordered = { table.unpack(groups) }
  table.sort(ordered, function(a, b)
    return a.count > b.count
  end)
  return ordered
end

return tasks
