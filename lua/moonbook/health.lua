--- Whether what a service runs is healthy: its tasks and its load-balancer targets.
--
-- Each function only reads and returns what it saw; what that means is the runbook's business.
--
-- Uses, by function: tasks: ecs.list_tasks, ecs.describe_tasks; targets: elbv2.describe_target_health.

local patience = require "moonbook.patience"

local health = {}

local BATCH = 100 -- DescribeTasks takes no more at once

local ATTEMPTS = 3

-- The tasks of a service as of now. nil and the error when one of them has gone between the list and
-- the description.
local function tasks_now(cluster, service)
  local arns = patience.call(all, ecs.list_tasks, { cluster = cluster, service_name = service }).task_arns or {}
  local tasks = {}
  for first = 1, #arns, BATCH do
    local batch = {}
    for index = first, math.min(first + BATCH - 1, #arns) do
      batch[#batch + 1] = arns[index]
    end
    local answer, err = patience.attempt(ecs.describe_tasks, { cluster = cluster, tasks = batch })
    if not answer then
      return nil, err
    end
    for _, task in ipairs(answer.tasks) do
      tasks[#tasks + 1] = task
    end
  end
  return tasks
end

--- The tasks of a service that are meant to run, as ECS describes them.
function health.tasks(cluster, service)
  for count = 1, ATTEMPTS do
    local tasks, err = tasks_now(cluster, service)
    if tasks then
      return tasks
    end
    -- What is listed and then gone is no fault of the service's: look at what is there now.
    if err.code ~= "MISSING" or count == ATTEMPTS then
      error(err, 0)
    end
  end
end

--- What is wrong with a task, or nil when it runs and is not known to be unhealthy.
function health.task_problem(task)
  local id = (task.task_arn or "?"):match("([^/]+)$")
  if task.last_status ~= "RUNNING" then
    return ("%s is %s"):format(id, task.last_status)
  end
  if task.health_status == "UNHEALTHY" then
    return ("%s is UNHEALTHY"):format(id)
  end
  return nil
end

--- The target groups attached to a service: a list of lists of ARNs. Most hold one; two belong together
-- when blue/green deployments move the tasks from the one to the other and back.
function health.target_groups(service)
  local groups = {}
  for _, balancer in ipairs(service.load_balancers or {}) do
    if balancer.target_group_arn then
      local advanced = balancer.advanced_configuration or {}
      groups[#groups + 1] = { balancer.target_group_arn, advanced.alternate_target_group_arn }
    end
  end
  return groups
end

local function count_target(seen, description)
  local found = description.target_health or {}
  local state = found.state or "unknown"
  -- A target that is being taken out belongs to a task that has been replaced.
  if state == "draining" then
    seen.draining = seen.draining + 1
    return
  end
  seen.total = seen.total + 1
  if state == "healthy" then
    seen.healthy = seen.healthy + 1
    return
  end
  local id = description.target and description.target.id or "?"
  local why = found.description or found.reason
  seen.problems[#seen.problems + 1] = ("%s is %s%s"):format(id, state, why and " (" .. why .. ")" or "")
end

--- The targets of one entry of health.target_groups:
-- { name, total, healthy, draining, problems = list of text }; those that drain are not in `total`.
function health.targets(group)
  local seen = { total = 0, healthy = 0, draining = 0, problems = {} }
  local names = {}
  for index, arn in ipairs(group) do
    names[index] = arn:match("targetgroup/([^/]+)") or arn
    local answer = patience.call(elbv2.describe_target_health, { target_group_arn = arn })
    for _, description in ipairs(answer.target_health_descriptions or {}) do
      count_target(seen, description)
    end
  end
  seen.name = table.concat(names, " and ")
  return seen
end

return health
