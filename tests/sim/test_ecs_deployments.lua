--- Deployments in trouble, and the many ways to change a service while it changes.

local ecs = dofile "tests/sim/ecs_world.lua"
local faults = require "sim.faults"
local t, within, when = ecs.t, ecs.within, ecs.when

local rolls_back = { enable = true, rollback = true }
local only_fails = { enable = true, rollback = false }

local function deploy(world, tag, more)
  local at = world:now()
  local input = more or {}
  input.task_definition = ecs.define(world, ecs.image(tag))
  ecs.update(world, input)
  return at
end

local function history(world)
  local list = ecs.call(world, "list_service_deployments", { cluster = "prod", service = "web" }).service_deployments
  local arns = {}
  for index, item in ipairs(list) do
    arns[index] = item.service_deployment_arn
  end
  local out = ecs.call(world, "describe_service_deployments", { service_deployment_arns = arns })
  return out.service_deployments
end

local function revision_of(task)
  return task.task_definition_arn:match(":(%d+)$")
end

-- ---- what an update answers, and what starts a deployment ----------------------------------------

t.test("an update answers at once, before anything has moved", function()
  local world = ecs.start { desired = 3 }
  local definition = ecs.define(world, ecs.image "app:v2")
  local list = ecs.update(world, { task_definition = definition }).deployments
  t.equal({ list[1].status, list[1].desired_count, list[1].running_count, list[1].pending_count },
    { "PRIMARY", 0, 0, 0 })
  t.equal({ list[2].status, list[2].desired_count, list[2].running_count }, { "ACTIVE", 3, 3 })
  t.equal(list[1].rollout_state_reason, ("ECS deployment %s in progress."):format(list[1].id))
  t.truthy(list[1].id:match("^ecs%-svc/[1-9]%d+$") and #list[1].id == 27, "the deployment's id")
end)

t.test("only some changes start a deployment", function()
  local world = ecs.start {}
  local same = ecs.service(world).task_definition
  local function starts(input)
    local before = ecs.service(world).deployments[1].id
    local after = ecs.update(world, input).deployments[1].id
    t.advance(world, 600)
    return before ~= after
  end
  t.equal(starts { task_definition = same }, false, "the same definition")
  t.equal(starts { desired_count = 1 }, false, "the same count")
  t.equal(starts { desired_count = 2 }, false, "another count")
  t.equal(starts { health_check_grace_period_seconds = 90 }, false, "the grace period")
  t.equal(starts { deployment_configuration = { maximum_percent = 150 } }, false, "the configuration")
  t.equal(starts { enable_execute_command = true }, false, "execute command")
  t.equal(starts { force_new_deployment = true }, true, "force")
  t.equal(starts { propagate_tags = "SERVICE" }, true, "tag propagation")
  t.equal(starts { platform_version = "1.4.0" }, true, "the platform version")
  local network = ecs.network(world)
  network.awsvpc_configuration.assign_public_ip = "ENABLED"
  t.equal(starts { network_configuration = network }, true, "the network")
  t.equal(ecs.service(world).deployment_configuration.maximum_percent, 150)
  t.equal(ecs.service(world).deployment_configuration.minimum_healthy_percent, 100)
end)

-- ---- the breaker ---------------------------------------------------------------------------------

t.test("without rollback the failed deployment keeps its place and the old tasks stay", function()
  local world = ecs.start { breaker = only_fails }
  local old = ecs.service(world)
  deploy(world, "app:v9")
  ecs.wait_for(world, "FAILED")
  t.advance(world, 3600)
  local service = ecs.service(world)
  t.equal(#service.deployments, 2)
  local failed, kept = service.deployments[1], service.deployments[2]
  t.equal({ failed.status, failed.rollout_state, failed.running_count }, { "PRIMARY", "FAILED", 0 })
  t.equal(failed.rollout_state_reason, "ECS deployment circuit breaker: tasks failed to start.")
  t.equal({ kept.id, kept.status, kept.running_count, kept.desired_count }, { old.deployments[1].id, "ACTIVE", 1, 1 })
  t.equal(service.running_count, 1)
  local record = history(world)[1]
  t.equal({ record.status, record.deployment_circuit_breaker.status }, { "STOPPED", "TRIGGERED" })
  t.truthy(record.stopped_at, "stopped_at")
  t.equal(record.deployment_circuit_breaker.failure_count, 3)
  t.equal(record.deployment_circuit_breaker.threshold, 3)
end)

t.test("a task of the old deployment that is lost after such a failure is replaced from the old definition", function()
  local world = ecs.start { breaker = only_fails }
  deploy(world, "app:v9")
  ecs.wait_for(world, "FAILED")
  local old = ecs.tasks(world, "RUNNING")[1]
  ecs.call(world, "stop_task", { cluster = "prod", task = old.task_arn })
  t.advance(world, 300)
  local now = ecs.tasks(world, "RUNNING")
  t.equal({ #now, revision_of(now[1]), now[1].last_status }, { 1, "1", "RUNNING" })
end)

t.test("a breaker rollback takes the old id, its reason, and the definition back", function()
  local world = ecs.start { breaker = rolls_back, desired = 2 }
  local old = ecs.service(world)
  local bad = deploy(world, "app:v9") and ecs.service(world).deployments[1].id
  local reason = ecs.wait(world, 3600, function()
    local first = ecs.service(world).deployments[1]
    return first.id == old.deployments[1].id and first
  end)
  t.equal({ reason.status, reason.rollout_state, reason.failed_tasks }, { "PRIMARY", "IN_PROGRESS", 0 })
  t.equal(reason.rollout_state_reason,
    ("ECS deployment circuit breaker: rolling back to deploymentId %s."):format(reason.id))
  t.equal(ecs.service(world).task_definition, old.task_definition)
  local record = history(world)[1]
  t.equal(record.status, "ROLLBACK_IN_PROGRESS")
  t.equal(record.rollback.service_revision_arn, record.source_service_revisions[1].arn)
  ecs.wait_for(world, "COMPLETED")
  record = history(world)[1]
  t.equal(record.status_reason, "Service deployment rolled back because the circuit breaker threshold was exceeded.")
  t.equal(#history(world), 2, "a rollback has no entry of its own")
  for _, deployment in ipairs(ecs.service(world).deployments) do
    t.equal(deployment.id == bad, false, "the failed one is still listed")
  end
end)

t.test("a first deployment that fails has nothing to go back to", function()
  local world = ecs.start { breaker = rolls_back, image = ecs.image "app:v9", unsettled = true }
  ecs.wait_for(world, "FAILED")
  t.advance(world, 1800)
  local service = ecs.service(world)
  t.equal({ #service.deployments, service.running_count, service.pending_count }, { 1, 0, 0 })
  local record = history(world)[1]
  t.equal(record.status, "ROLLBACK_FAILED")
  t.equal(record.status_reason, "No rollback candidate was found to run the rollback.")
  local list = ecs.events(world, 0)
  t.equal(when(list, "rolling back"), nil)
end)

t.test("without a breaker a deployment that cannot work stays in progress, and tries ever more rarely", function()
  local world = ecs.start {}
  local at = deploy(world, "app:v9")
  t.advance(world, 4 * 3600)
  local primary = ecs.service(world).deployments[1]
  t.equal({ primary.rollout_state, primary.failed_tasks > 3 }, { "IN_PROGRESS", true })
  local starts = {}
  for _, event in ipairs(ecs.events(world, at)) do
    if event.message:find("has started", 1, true) then
      starts[#starts + 1] = event.at
    end
  end
  local last = starts[#starts] - starts[#starts - 1]
  within(last, 1620, 1620 + 200, "the longest wait between attempts")
end)

t.test("thresholds follow the count, or what is configured", function()
  local failures = require "sim.ecs.failures"
  local function threshold(desired, rule)
    return failures.threshold {
      desired = desired, deployment_configuration = { deployment_circuit_breaker = { threshold_configuration = rule } },
    }
  end
  t.equal({ threshold(1), threshold(6), threshold(10), threshold(25), threshold(400), threshold(1000) },
    { 3, 3, 5, 13, 200, 200 })
  t.equal(threshold(1, { type = "COUNT", value = 2 }), 2)
  t.equal(threshold(1000, { type = "UNBOUNDED_PERCENT", value = 50 }), 500)
  t.equal(threshold(10, { type = "BOUNDED_PERCENT", value = 10 }), 3)
end)

t.test("a task judged healthy puts the failures back to none, unless that is switched off", function()
  local function failed_after(reset)
    local world = ecs.start {
      desired = 2, plain = true,
      breaker = { enable = true, rollback = true, reset_on_healthy_task = reset,
        threshold_configuration = { type = "COUNT", value = 50 } },
    }
    faults.set(world, "behaviour", "app:v2", { exit = { code = 1, after = 10 } })
    deploy(world, "app:v2")
    ecs.wait(world, 600, function()
      return ecs.service(world).deployments[1].failed_tasks >= 2
    end)
    faults.clear(world, "behaviour")
    ecs.wait_for(world, "COMPLETED")
    return ecs.service(world).deployments[1].failed_tasks
  end
  t.equal(failed_after(nil), 0)
  t.equal(failed_after(false) >= 2, true, "they add up")
end)

t.test("a completed deployment is never failed, however often its tasks end", function()
  local world = ecs.start { breaker = rolls_back, plain = true }
  local id = ecs.service(world).deployments[1].id
  faults.set(world, "behaviour", "app:v1", { exit = { code = 1, after = 5 } })
  t.advance(world, 1800)
  local primary = ecs.service(world).deployments[1]
  t.equal({ primary.id, primary.rollout_state, primary.failed_tasks }, { id, "COMPLETED", 0 })
end)

t.test("a rollback that fails too ends as ROLLBACK_FAILED", function()
  local world = ecs.start { breaker = rolls_back, minimum = 0, maximum = 100 }
  require("sim.ecr").remove_image(world, "app", "v1")
  deploy(world, "app:v9")
  ecs.wait(world, 7200, function()
    return history(world)[1].status == "ROLLBACK_FAILED"
  end)
  t.equal(ecs.service(world).deployments[1].rollout_state, "FAILED")
end)

-- ---- several changes at once ---------------------------------------------------------------------

t.test("a newer update takes over: the older one's history ends as STOPPED", function()
  local world = ecs.start { desired = 2 }
  deploy(world, "app:v2")
  t.advance(world, 30)
  deploy(world, "app:v3")
  local list = history(world)
  t.equal({ list[1].status, list[2].status, list[3].status }, { "PENDING", "STOPPED", "SUCCESSFUL" })
  t.equal(#list[1].source_service_revisions, 2, "sources: both that still run")
  t.equal(#ecs.service(world).deployments, 3)
  ecs.wait_for(world, "COMPLETED")
  t.equal(#ecs.service(world).deployments, 1)
  t.advance(world, 300)
  for _, task in ipairs(ecs.tasks(world, "RUNNING")) do
    t.equal(revision_of(task), "3")
  end
  t.equal(history(world)[1].status, "SUCCESSFUL")
end)

t.test("a broken rollout can be left by deploying another image", function()
  local world = ecs.start { desired = 2, maximum = 150 }
  deploy(world, "app:v9")
  t.advance(world, 700)
  deploy(world, "app:v3")
  ecs.wait_for(world, "COMPLETED", 900)
  t.equal(ecs.service(world).running_count, 2)
end)

t.test("after a superseded rollout fails, the last completed one comes back", function()
  local world = ecs.start { breaker = rolls_back }
  local first = ecs.service(world).deployments[1].id
  deploy(world, "app:v2")
  t.advance(world, 20)
  deploy(world, "app:v9")
  ecs.wait(world, 3600, function()
    return ecs.service(world).deployments[1].id == first
  end)
  ecs.wait_for(world, "COMPLETED")
  t.equal(history(world)[1].status, "ROLLBACK_SUCCESSFUL")
end)

t.test("a rollback that is asked for works though nothing configures it", function()
  local world = ecs.start {}
  local old = ecs.service(world)
  deploy(world, "app:v2")
  t.advance(world, 20)
  local arn = history(world)[1].service_deployment_arn
  t.raises("UnsupportedFeatureException", function()
    return world:call("ecs", "stop_service_deployment", { service_deployment_arn = arn, stop_type = "ABORT" })
  end)
  ecs.call(world, "stop_service_deployment", { service_deployment_arn = arn, stop_type = "ROLLBACK" })
  t.equal(history(world)[1].status, "ROLLBACK_REQUESTED")
  t.advance(world, 6)
  t.equal(history(world)[1].status, "ROLLBACK_IN_PROGRESS")
  ecs.wait_for(world, "COMPLETED")
  t.equal(history(world)[1].status, "ROLLBACK_SUCCESSFUL")
  t.equal(ecs.service(world).deployments[1].id, old.deployments[1].id)
  t.raises("ConflictException", function()
    return world:call("ecs", "stop_service_deployment", { service_deployment_arn = arn })
  end)
  t.raises("ServiceDeploymentNotFoundException", function()
    return world:call("ecs", "stop_service_deployment", { service_deployment_arn = arn .. "x" })
  end)
end)

-- ---- scaling -------------------------------------------------------------------------------------

t.test("scaling is no deployment, and takes the newest tasks away again", function()
  local world = ecs.start { desired = 2 }
  local id = ecs.service(world).deployments[1].id
  local first = ecs.tasks(world, "RUNNING")
  ecs.update(world, { desired_count = 5 })
  t.advance(world, 300)
  local service = ecs.service(world)
  t.equal({ service.running_count, service.deployments[1].id, #history(world) }, { 5, id, 1 })
  ecs.update(world, { desired_count = 2 })
  t.advance(world, 300)
  local left = ecs.tasks(world, "RUNNING")
  t.equal({ left[1].task_arn, left[2].task_arn, #left }, { first[1].task_arn, first[2].task_arn, 2 })
end)

t.test("scaling out in the middle of a rollout reaches both revisions", function()
  local world = ecs.start { desired = 2 }
  deploy(world, "app:v2")
  t.advance(world, 30)
  ecs.update(world, { desired_count = 4 })
  t.advance(world, 20)
  local each = { ["1"] = 0, ["2"] = 0 }
  for _, task in ipairs(ecs.tasks(world, "RUNNING")) do
    each[revision_of(task)] = each[revision_of(task)] + 1
  end
  t.equal(each, { ["1"] = 4, ["2"] = 4 })
  ecs.wait_for(world, "COMPLETED")
  t.equal(ecs.service(world).running_count, 4)
end)

t.test("scaled to none, everything stops and the deployment is completed", function()
  local world = ecs.start { desired = 2 }
  ecs.update(world, { desired_count = 0, force_new_deployment = true })
  within(ecs.wait_for(world, "COMPLETED"), 1, 45, "completion")
  t.advance(world, 300)
  local service = ecs.service(world)
  t.equal({ service.running_count, service.pending_count, #ecs.tasks(world, "RUNNING") }, { 0, 0, 0 })
  t.contains(service.events[1].message, "has reached a steady state.")
  ecs.update(world, { desired_count = 1 })
  t.advance(world, 300)
  t.equal(ecs.service(world).running_count, 1)
end)

t.test("protected tasks stay through scale-in and rollouts until the protection ends", function()
  local world = ecs.start { desired = 2, plain = true }
  local tasks = ecs.tasks(world, "RUNNING")
  local answer = ecs.call(world, "update_task_protection", {
    cluster = "prod", tasks = { tasks[2].task_arn, "none" }, protection_enabled = true, expires_in_minutes = 30,
  })
  t.equal({ answer.protected_tasks[1].protection_enabled, answer.failures[1].reason }, { true, "MISSING" })
  local at = world:now()
  ecs.update(world, { desired_count = 0 })
  t.advance(world, 300)
  local left = ecs.tasks(world, "RUNNING")
  t.equal({ #left, left[1].task_arn }, { 1, tasks[2].task_arn })
  t.truthy(when(ecs.events(world, at), "was unable to scale in due to (reason 1 tasks under protection)"), "the event")
  t.advance(world, 1600)
  t.equal(#ecs.tasks(world, "RUNNING"), 0)
  ecs.update(world, { desired_count = 1 })
  t.advance(world, 300)
  local kept = ecs.tasks(world, "RUNNING")[1].task_arn
  ecs.call(world, "update_task_protection", { cluster = "prod", tasks = { kept }, protection_enabled = true })
  deploy(world, "app:v2")
  t.advance(world, 900)
  t.equal(ecs.service(world).deployments[1].rollout_state, "IN_PROGRESS")
  ecs.call(world, "update_task_protection", { cluster = "prod", tasks = { kept }, protection_enabled = false })
  local shown = ecs.call(world, "get_task_protection", { cluster = "prod" })
  t.equal({ shown.protected_tasks[1].protection_enabled, #shown.failures }, { false, 0 })
  ecs.wait_for(world, "COMPLETED", 600)
end)

-- ---- bounds --------------------------------------------------------------------------------------

t.test("bounds that leave no room say so once", function()
  local world = ecs.start { minimum = 50, maximum = 100 }
  local at = deploy(world, "app:v2")
  t.advance(world, 3600)
  local list = ecs.events(world, at)
  t.truthy(when(list, "was unable to stop or start tasks during a deployment"), "the event")
  t.equal(when(list, "was unable to stop or start tasks during a deployment", 2), nil)
  t.equal(ecs.service(world).deployments[1].rollout_state, "IN_PROGRESS")
  ecs.update(world, { deployment_configuration = { maximum_percent = 200 } })
  ecs.wait_for(world, "COMPLETED", 600)
end)

t.test("three with 100 to 150 percent move one at a time, never below three healthy", function()
  local world = ecs.start { desired = 3, maximum = 150 }
  local at = deploy(world, "app:v2")
  local most, least = 0, 99
  ecs.wait(world, 1800, function()
    local list, alive = ecs.tasks(world, "RUNNING"), 0
    for _, task in ipairs(list) do
      alive = alive + (task.last_status == "RUNNING" and 1 or 0)
    end
    most, least = math.max(most, #list), math.min(least, alive)
    return ecs.service(world).deployments[1].rollout_state == "COMPLETED"
  end)
  t.equal({ most, least }, { 4, 3 })
  for which = 1, 3 do
    t.truthy(when(ecs.events(world, at), "has started 1 tasks: (task).", which), "start " .. which)
  end
end)

t.test("four with 50 to 100 percent stop two, start two, and again", function()
  local world = ecs.start { desired = 4, minimum = 50, maximum = 100 }
  local at = deploy(world, "app:v2")
  ecs.wait_for(world, "COMPLETED", 1800)
  local order = {}
  for _, event in ipairs(ecs.events(world, at)) do
    order[#order + 1] = event.message:match("^has (%a+ %d+)")
  end
  t.equal(order, { "stopped 2", "started 2", "stopped 2", "started 2" }, "moves")
end)

-- ---- alarms --------------------------------------------------------------------------------------

-- Makes alarms that a scenario then holds in states.
local function with_alarms(states)
  local world = ecs.empty()
  for name, state in pairs(states) do
    t.call(world, "cloudwatch", "put_metric_alarm", {
      alarm_name = name, namespace = "App", metric_name = name, statistic = "Sum", period = 60, evaluation_periods = 1,
      threshold = 1, comparison_operator = "GreaterThanThreshold",
    })
    faults.set(world, "alarm", name, state)
  end
  t.advance(world, 120)
  return world
end

t.test("an alarm that fires fails the deployment; one that fired before is not watched", function()
  local world = with_alarms { errors = "OK", old = "ALARM" }
  ecs.start { world = world, alarms = { alarm_names = { "errors", "old" }, enable = true, rollback = true } }
  local old = ecs.service(world)
  local at = deploy(world, "app:v2")
  t.advance(world, 60)
  t.equal(ecs.service(world).deployments[1].rollout_state, "IN_PROGRESS")
  faults.set(world, "alarm", "errors", "ALARM")
  t.advance(world, 90)
  t.truthy(when(ecs.events(world, at), "(deployment ID) deployment failed: alarm detected."), "the event")
  faults.set(world, "alarm", "errors", "OK")
  ecs.wait_for(world, "COMPLETED")
  t.equal(ecs.service(world).deployments[1].id, old.deployments[1].id)
  local record = history(world)[1]
  t.equal({ record.status, record.alarms.status, record.alarms.triggered_alarm_names },
    { "ROLLBACK_SUCCESSFUL", "TRIGGERED", { "errors" } })
end)

t.test("an alarm without rollback leaves the deployment failed", function()
  local world = with_alarms { errors = "OK" }
  ecs.start { world = world, alarms = { alarm_names = { "errors" }, enable = true, rollback = false } }
  deploy(world, "app:v2")
  t.advance(world, 30)
  faults.set(world, "alarm", "errors", "ALARM")
  ecs.wait_for(world, "FAILED", 200)
  local service = ecs.service(world)
  t.equal(service.deployments[1].rollout_state_reason, "ECS deployment failed: alarm detected.")
  t.equal({ #service.deployments, history(world)[1].status }, { 2, "STOPPED" })
end)

t.test("watched alarms hold a good deployment back for a while", function()
  local world = with_alarms { errors = "OK" }
  ecs.start { world = world, alarms = { alarm_names = { "errors" }, enable = true, rollback = true } }
  deploy(world, "app:v2")
  within(ecs.wait_for(world, "COMPLETED"), 270, 400, "the rollout")
end)

-- ---- lost and unhealthy tasks --------------------------------------------------------------------

t.test("a task that somebody stops is replaced after its containers are gone", function()
  local world = ecs.start {}
  local old, at = ecs.tasks(world, "RUNNING")[1], world:now()
  ecs.call(world, "stop_task", { cluster = "prod", task = old.task_arn, reason = "drill" })
  t.advance(world, 400)
  local list = ecs.events(world, at)
  t.truthy(when(list, "has started 1 tasks: (task)."), "replacement")
  t.truthy(when(list, "has reached a steady state."), "steady again")
  local stopped = ecs.call(world, "describe_tasks", { cluster = "prod", tasks = { old.task_arn } }).tasks[1]
  t.equal({ stopped.stop_code, stopped.stopped_reason }, { "UserInitiated", "drill" })
end)

t.test("without a load balancer the replacement starts 45 to 66 seconds after StopTask", function()
  for seed = 1, 7 do
    local world = ecs.start { plain = true, seed = seed }
    local at = world:now()
    ecs.call(world, "stop_task", { cluster = "prod", task = ecs.tasks(world, "RUNNING")[1].task_arn })
    t.advance(world, 200)
    within(when(ecs.events(world, at), "has started 1 tasks: (task)."), 45, 66, "the replacement")
  end
end)

t.test("in a rollout a lost task is replaced by its own revision", function()
  local world = ecs.start { desired = 4, maximum = 150 }
  faults.set(world, "behaviour", "app:v2", { start_seconds = 1e6 })
  deploy(world, "app:v2", { health_check_grace_period_seconds = 3600 })
  t.advance(world, 90)
  ecs.call(world, "stop_task", { cluster = "prod", task = ecs.tasks(world, "RUNNING")[1].task_arn })
  t.advance(world, 400)
  local each = { ["1"] = 0, ["2"] = 0 }
  for _, task in ipairs(ecs.tasks(world, "RUNNING")) do
    each[revision_of(task)] = each[revision_of(task)] + 1
  end
  t.equal(each, { ["1"] = 4, ["2"] = 2 })
end)

t.test("the grace period holds the stop back, not the verdict", function()
  local world, group = ecs.start { grace = 300, breaker = rolls_back }
  faults.set(world, "behaviour", "app:v2", { paths = { ["/api/healthz"] = 404 } })
  local at = deploy(world, "app:v2")
  t.advance(world, 200)
  local states = {}
  for _, item in ipairs(t.call(world, "elbv2", "describe_target_health",
    { target_group_arn = group }).target_health_descriptions) do
    states[item.target_health.state] = true
  end
  t.equal(states, { healthy = true, unhealthy = true })
  t.equal(#ecs.tasks(world, "STOPPED"), 0)
  t.advance(world, 200)
  within(when(ecs.events(world, at), "is unhealthy in (group)"), 340, 370, "the stop")
end)

t.test("a steady service says so again after six hours", function()
  local world = ecs.start {}
  t.advance(world, 13 * 3600)
  local count = 0
  for _, event in ipairs(ecs.service(world).events) do
    count = count + (event.message:find("steady state", 1, true) and 1 or 0)
  end
  t.equal(count, 3)
end)

t.test("no capacity: nothing starts, the event says why, and it goes on once there is some", function()
  local world = ecs.start {}
  faults.set(world, "capacity", "web", "unavailable")
  local at = deploy(world, "app:v2")
  t.advance(world, 120)
  t.truthy(when(ecs.events(world, at), "was unable to place a task. Reason: Capacity is unavailable at this time. "
    .. "Please try again later or in a different availability zone."), "the event")
  t.equal(ecs.service(world).deployments[1].pending_count, 0)
  faults.clear(world, "capacity")
  ecs.wait_for(world, "COMPLETED", 1200)
end)

-- ---- images --------------------------------------------------------------------------------------

t.test("a deployment pins its image: a tag that moves changes nothing until the next deployment", function()
  local world = ecs.start { desired = 2, plain = true }
  local before = ecs.tasks(world, "RUNNING")[1].containers[1].image_digest
  t.contains(before, "sha256:")
  require("sim.ecr").add_image(world, { repository = "app", tag = "v1", platforms = { "linux/amd64" }, seed = "moved" })
  ecs.call(world, "stop_task", { cluster = "prod", task = ecs.tasks(world, "RUNNING")[1].task_arn })
  t.advance(world, 300)
  for _, task in ipairs(ecs.tasks(world, "RUNNING")) do
    t.equal(task.containers[1].image_digest, before)
  end
  ecs.update(world, { force_new_deployment = true })
  t.advance(world, 300)
  local after = ecs.tasks(world, "RUNNING")[1].containers[1].image_digest
  t.equal(after == before, false, "force resolves the tag again")
  local revision = ecs.service(world).current_service_revisions[1].arn
  local shown = ecs.call(world, "describe_service_revisions", { service_revision_arns = { revision } })
  t.equal(shown.service_revisions[1].container_images[1].image_digest, after)
end)

t.test("an image that lifecycle deleted cannot be pulled again", function()
  local world = ecs.start { plain = true }
  require("sim.ecr").remove_image(world, "app", "v1")
  ecs.call(world, "stop_task", { cluster = "prod", task = ecs.tasks(world, "RUNNING")[1].task_arn })
  local at = world:now()
  t.advance(world, 400)
  t.truthy(when(ecs.events(world, at), "was unable to place a task. Reason: CannotPullContainerError"), "the event")
  t.equal(ecs.service(world).running_count, 0)
end)

t.test("a deregistered revision keeps running, is replaced, and cannot be deployed", function()
  local world = ecs.start { plain = true }
  local definition = ecs.service(world).task_definition
  ecs.call(world, "deregister_task_definition", { task_definition = definition })
  ecs.call(world, "stop_task", { cluster = "prod", task = ecs.tasks(world, "RUNNING")[1].task_arn })
  t.advance(world, 300)
  t.equal(ecs.service(world).running_count, 1)
  t.raises("ClientException", function()
    return world:call("ecs", "update_service", { cluster = "prod", service = "web", task_definition = definition })
  end)
end)

t.finish()
