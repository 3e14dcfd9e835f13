--- When a task of a service counts as healthy, and when as unhealthy.

local containers = require "sim.ecs.containers"
local definitions = require "sim.ecs.definitions"
local durations = require "sim.facts.durations"

local health = {}

-- The worst that load balancers say of the task's targets: true when all are healthy, and the first that is
-- unhealthy.
local function targets_of(world, task)
  local elbv2, all = require "sim.elbv2", true
  for _, target in ipairs(task.targets) do
    local state, _, description = elbv2.health(world, target.group, { id = task.interface.ip, port = target.port })
    all = all and state == "healthy"
    if state == "unhealthy" then
      return false, { target = target, why = description }
    end
  end
  return all
end

local function is_checked(world, task)
  if task.checked == nil then
    task.checked = containers.checked(definitions.of(world, task.view.task_definition_arn))
  end
  return task.checked
end

--- Judges a running task. Gives {good, ready, bad, again}: good counts for the bounds of a deployment, ready
-- means that it could take over from another one, bad says why it is unhealthy ({target, why} or {}), again is
-- in how many seconds the judgement may differ though nothing happens.
function health.judge(world, service, task)
  local age = world:now() - task.view.started_at
  local targets, bad = targets_of(world, task)
  local checked, says = is_checked(world, task), task.view.health_status
  if not bad and says == "UNHEALTHY" then
    bad = {}
  end
  local ready = targets and (not checked or says == "HEALTHY")
  local settled = checked or age >= durations.usual("running_to_healthy") - 1e-6
  local out = { ready = ready, good = ready and settled }
  if ready and not settled then
    out.again = durations.usual("running_to_healthy") - age
  end
  local grace = service.grace or 0
  if bad and age < grace then
    out.again = grace - age
  else
    out.bad = bad
  end
  return out
end

return health
