--- Proving what runs, after ECS has said that a deployment is complete: the images by their digests, the
-- targets, the alarms, the application itself. Each is a check; what cannot be checked is listed, and never
-- counts as passed.
--
-- Uses: ecs.list_tasks, ecs.describe_tasks, elbv2.describe_target_health, cloudwatch.describe_alarms,
-- ssm.get_parameter, http.get.

local application = require "moonbook.application"
local deployment = require "moonbook.deployment"
local health = require "moonbook.health"
local patience = require "moonbook.patience"
local services = require "moonbook.services"

local prove = {}

local PATIENCE = 120 -- seconds that targets may take to become healthy once the deployment is complete
local LOOK = 5

-- ---- images --------------------------------------------------------------------------------------

-- What is wrong with the containers of a task, by the digests that they should have.
local function wrong_images(task, digests)
  local id = (task.task_arn or "?"):match("([^/]+)$")
  local problems = {}
  for _, container in ipairs(task.containers or {}) do
    local wanted = digests[container.name]
    if wanted and container.image_digest ~= wanted then
      problems[#problems + 1] = ("%s in task %s runs %s"):format(
        container.name,
        id,
        container.image_digest or "an image whose digest ECS does not tell"
      )
    end
  end
  return problems
end

-- The tasks that a deployment started; all when none is named.
local function started_by(tasks, deployment)
  local own = {}
  for _, task in ipairs(tasks) do
    if not deployment or task.started_by == deployment then
      own[#own + 1] = task
    end
  end
  return own
end

--- Checks that every task of the service runs the images with these digests, { container name = digest }.
-- `deployment`: the id of the one whose tasks alone are meant, while it is not over.
function prove.images(cluster, service, digests, deployment)
  local name = "every task runs the image"
  if next(digests) == nil then
    return { name = name, reason = "the digest of the image is not known" }
  end
  local tasks, problems = started_by(health.tasks(cluster, service), deployment), {}
  for _, task in ipairs(tasks) do
    for _, problem in ipairs(wrong_images(task, digests)) do
      problems[#problems + 1] = problem
    end
  end
  local wanted = {}
  for container, digest in pairs(digests) do
    wanted[#wanted + 1] = ("%s %s"):format(container, digest:sub(1, 19))
  end
  check(
    name,
    #tasks > 0 and #problems == 0,
    #tasks == 0 and "there is no task"
      or #problems > 0 and ("%s; expected %s"):format(table.concat(problems, "; "), table.concat(wanted, ", "))
      or ("%d of %d: %s"):format(#tasks, #tasks, table.concat(wanted, ", ")),
    problems
  )
end

-- ---- targets -------------------------------------------------------------------------------------

local function healthy_enough(seen, wanted)
  return seen.total >= wanted and seen.healthy == seen.total
end

-- Looks until a group is healthy or the patience is at its end.
local function watch_group(group, wanted)
  local deadline = now() + PATIENCE
  while true do
    local seen = health.targets(group)
    if healthy_enough(seen, wanted) or now() >= deadline then
      return seen
    end
    progress(("%s: %d of %d targets healthy"):format(seen.name, seen.healthy, wanted))
    sleep(LOOK)
  end
end

--- Checks that every target of the service is healthy, one at least for each task. Targets get two minutes.
function prove.targets(service)
  local groups = health.target_groups(service)
  if #groups == 0 then
    return { name = "targets are healthy", reason = "the service has no load balancer" }
  end
  local wanted = service.desired_count
  each(groups, function(group)
    local seen = watch_group(group, wanted)
    local message = ("%s: %d of %d healthy"):format(seen.name, seen.healthy, math.max(seen.total, wanted))
    if #seen.problems > 0 then
      message = message .. "; " .. table.concat(seen.problems, "; ")
    end
    check("targets are healthy", healthy_enough(seen, wanted), message, seen.problems)
  end)
end

-- ---- alarms --------------------------------------------------------------------------------------

--- Checks that none of the alarms that watch the service's deployments fires.
function prove.alarms(service)
  local name = "no alarm of the deployment fires"
  local configured = (service.deployment_configuration or {}).alarms or {}
  local names = configured.alarm_names or {}
  if #names == 0 then
    return { name = name, reason = "no alarm watches the deployments of this service" }
  end
  local answer = patience.call(all, cloudwatch.describe_alarms, { alarm_names = names })
  local firing, found = {}, 0
  for _, list in ipairs { answer.metric_alarms or {}, answer.composite_alarms or {} } do
    for _, alarm in ipairs(list) do
      found = found + 1
      if alarm.state_value == "ALARM" then
        firing[#firing + 1] = ("%s: %s"):format(alarm.alarm_name, alarm.state_reason or "ALARM")
      end
    end
  end
  check(
    name,
    #firing == 0 and found == #names,
    #firing > 0 and table.concat(firing, "; ")
      or found < #names and ("only %d of %d alarms exist"):format(found, #names)
      or ("%d quiet"):format(found),
    firing
  )
end

-- ---- the application -----------------------------------------------------------------------------

--- Checks that the health page answers 200: { health_url, health_path, alb_dns_parameter, health_timeout }.
function prove.application(args)
  local url, why = application.address(args)
  if not url then
    return { name = "the application answers", reason = why }
  end
  local seen = application.probe(url, args.health_timeout)
  check("the application answers", seen.ok, seen.message)
end

-- ---- together ------------------------------------------------------------------------------------

--- Makes all of these checks at the same time: { service = as described, digests, args = of the runbook:
-- cluster, and where the health page is, deployment = as for prove.images }. Gives a list of { name, reason } of what could not be checked.
function prove.all(options)
  local skipped = {}
  local function run(prover, ...)
    local skip = prover(...)
    if skip then
      log.info(("not checked: %s (%s)"):format(skip.name, skip.reason))
      skipped[#skipped + 1] = skip
    end
  end
  local service = options.service
  together {
    function() run(prove.images, options.args.cluster, service.service_name, options.digests or {}, options.deployment) end,
    function() run(prove.targets, service) end,
    function() run(prove.alarms, service) end,
    function() run(prove.application, options.args) end,
  }
  return skipped
end

--- "; not checked: targets are healthy (the service has no load balancer)", or "".
function prove.unproved(skipped)
  if #skipped == 0 then
    return ""
  end
  local names = {}
  for index, entry in ipairs(skipped) do
    names[index] = ("%s (%s)"):format(entry.name, entry.reason)
  end
  table.sort(names)
  return "; not checked: " .. table.concat(names, ", ")
end

-- ---- a deployment ----------------------------------------------------------------------------------

-- Whether the traffic alone was waited for, and the deployment still goes on: what it replaces runs beside it.
local function is_shifted_only(args, primary)
  return args.goal == "traffic_shifted" and primary ~= nil and primary.rollout_state == "IN_PROGRESS"
end

local function overtaken(options, primary)
  local args = options.args
  return {
    verdict = "superseded",
    message = ("%s, but another deployment, %s (%s), has taken its place since."):format(
      options.done,
      primary.id,
      services.revision(primary.task_definition)
    ),
    next = services.command("deploy/follow", args.cluster, args.service),
  }
end

--- Proves that what was deployed is what runs, and works: { args = of the runbook, started = the deployment {id,
-- created_at, earlier}, digests = by container, done = what was done, without a full stop ("shop runs shop:v2"),
-- desired_count = before, next }. Makes the checks and gives what verify() of a runbook returns.
function prove.deployment(options)
  local args, started = options.args, options.started
  local service, why = deployment.settled(args.cluster, args.service, started, args.goal)
  if not check("service is active", service ~= nil, why) then
    return nil
  end
  local primary = services.primary(service)
  if primary and primary.id ~= started.id then
    return overtaken(options, primary)
  end
  local wanted = service.desired_count
  if wanted == 0 and options.desired_count == 0 then
    return { message = options.done .. ". It is scaled to zero: nothing runs, and so nothing is proved." }
  end
  local goes_on = is_shifted_only(args, primary)
  local counted = goes_on and primary or service
  check(
    "desired tasks run",
    wanted > 0 and counted.running_count == wanted,
    wanted == 0 and "it was scaled to zero meanwhile" or services.counts(counted)
  )
  local skipped = prove.all {
    service = service, digests = options.digests, args = args, deployment = goes_on and started.id or nil,
  }
  return {
    message = ("%s: %d of %d tasks%s%s."):format(
      options.done,
      counted.running_count,
      wanted,
      goes_on and "; it has all the traffic, and ECS still watches it and may go back" or "",
      prove.unproved(skipped)
    ),
    next = options.next,
    not_checked = skipped,
  }
end

return prove
