--- The tasks of a service until they are really gone. ECS counts a task as running no longer as soon as it
-- is told to stop, but its connections drain first, for as long as the target group says (300 s unless
-- set), SIGTERM comes after that, and SIGKILL up to 120 s later.
--
-- Uses: ecs.list_tasks, ecs.describe_tasks.

local tasks = {}

local BATCH = 100 -- DescribeTasks takes no more at once

-- What a task that is on its way out waits for.
local WAITS_FOR = {
  DEACTIVATING = "connections drain",
  STOPPING = "SIGTERM was sent",
  DEPROVISIONING = "network is given back",
}

-- What there is of these tasks: one may vanish between the list and the description.
local function describe(cluster, arns)
  local answer, err = attempt(ecs.describe_tasks, { cluster = cluster, tasks = arns })
  if not answer then
    answer = err.code == "MISSING" and err.output or error(err, 0)
  end
  return answer.tasks or {}
end

-- The tasks of one desired status, without those in `gone`.
local function list(args, desired_status, gone)
  local answer = all(ecs.list_tasks, {
    cluster = args.cluster,
    service_name = args.service:match "[^/]+$",
    desired_status = desired_status,
  })
  local arns = {}
  for _, arn in ipairs(answer.task_arns or {}) do
    if not gone[arn] then
      arns[#arns + 1] = arn
    end
  end
  return arns
end

--- How many tasks have not stopped yet, by their status. `gone` is a set of ARNs that is kept from look to
-- look: a stopped task stays listed for an hour and need not be asked about again.
function tasks.left(args, gone)
  local arns = list(args, "RUNNING", gone)
  for _, arn in ipairs(list(args, "STOPPED", gone)) do
    arns[#arns + 1] = arn
  end
  local left, total = {}, 0
  for first = 1, #arns, BATCH do
    for _, task in ipairs(describe(args.cluster, table.move(arns, first, math.min(first + BATCH - 1, #arns), 1, {}))) do
      if task.last_status == "STOPPED" then
        gone[task.task_arn] = true
      else
        left[task.last_status], total = (left[task.last_status] or 0) + 1, total + 1
      end
    end
  end
  return left, total
end

--- "1 DEACTIVATING (connections drain), 2 RUNNING" of what tasks.left gave.
function tasks.tell(left)
  local parts = {}
  for status, count in pairs(left) do
    local why = WAITS_FOR[status]
    parts[#parts + 1] = ("%d %s%s"):format(count, status, why and " (" .. why .. ")" or "")
  end
  return table.concat(parts, ", ")
end

return tasks
