-- Four checks, made at the same time: the counts ECS reports, every task, every load-balancer target
-- and the application's own health page.
--
-- A check that cannot be made says so. It is listed as not checked, and never counts as passed.

local application = require "moonbook.application"
local health = require "moonbook.health"
local services = require "moonbook.services"

local runbook = {}

-- 1. What ECS says about the service as a whole.
local function check_counts(service)
  check("service is active", service.status == "ACTIVE", ("status is %s"):format(service.status))

  local running, desired = service.running_count, service.desired_count
  check(
    "desired tasks run",
    desired > 0 and running == desired,
    desired == 0 and "the service is scaled to zero" or services.counts(service)
  )

  local failing
  for _, deployment in ipairs(service.deployments or {}) do
    local under_way = deployment.rollout_state == "IN_PROGRESS"
    if deployment.rollout_state == "FAILED" or (under_way and (deployment.failed_tasks or 0) > 0) then
      failing = failing or deployment
    elseif under_way then
      log.warn(("deployment %s is in progress: %s"):format(deployment.id, services.counts(deployment)))
    end
  end
  check(
    "no deployment is failing",
    failing == nil,
    failing and ("%s: %s (%s)"):format(
      failing.id,
      failing.rollout_state_reason or failing.rollout_state,
      services.counts(failing)
    )
  )
end

-- 2. Every task that is meant to run.
local function check_tasks(args)
  local tasks = health.tasks(args.cluster, args.service)
  local problems = {}
  for _, task in ipairs(tasks) do
    problems[#problems + 1] = health.task_problem(task)
  end
  local message = #tasks == 0 and "there is no task"
    or #problems == 0 and ("%d running"):format(#tasks)
    or table.concat(problems, "; ")
  check("tasks are healthy", #tasks > 0 and #problems == 0, message)
end

-- 3. Every target of every target group that the service is attached to, one at least for each task.
local function check_targets(service, skip)
  local groups = health.target_groups(service)
  if #groups == 0 then
    local classic = #(service.load_balancers or {}) > 0
    skip(
      "targets are healthy",
      classic and "its load balancer has no target group" or "the service has no load balancer"
    )
    return
  end
  local wanted = service.desired_count
  each(groups, function(group)
    local seen = health.targets(group)
    local message = ("%s: %d of %d healthy"):format(seen.name, seen.healthy, seen.total)
    if seen.draining > 0 then
      message = message .. (", %d draining"):format(seen.draining)
    end
    if seen.total < wanted then
      message = message .. ("; %d are needed"):format(wanted)
    end
    if #seen.problems > 0 then
      message = message .. "; " .. table.concat(seen.problems, "; ")
    end
    local enough = seen.total > 0 and seen.total >= wanted
    check("targets are healthy", enough and seen.healthy == seen.total, message)
  end)
end

-- 4. The application itself.
local function check_application(args, skip)
  local url, why = application.address(args)
  if not url then
    skip("application answers", why)
    return
  end
  local seen = application.probe(url, args.health_timeout, args.health_body)
  check("application answers", seen.ok, seen.message)
end

function runbook.verify(run, args)
  local service, why = services.find(args.cluster, args.service)
  if not check("service exists", service ~= nil, why) then
    return
  end

  local skipped = {}
  local function skip(name, reason)
    log.warn(("not checked: %s (%s)"):format(name, reason))
    skipped[#skipped + 1] = { name = name, reason = reason }
  end

  together {
    function() check_counts(service) end,
    function() check_tasks(args) end,
    function() check_targets(service, skip) end,
    function() check_application(args, skip) end,
  }

  local message = ("%s: every check made passed."):format(args.service)
  if #skipped > 0 then
    local names = {}
    for index, entry in ipairs(skipped) do
      names[index] = ("%s (%s)"):format(entry.name, entry.reason)
    end
    message = ("%s: every check made passed; not checked: %s."):format(
      args.service,
      table.concat(names, ", ")
    )
  end
  return { message = message, not_checked = skipped }
end

return runbook
