--- Rollouts as real accounts have shown them: what is written in which order, and how far apart. Seven seeds
-- each: the ranges must hold whatever chance does.

local ecs = dofile "tests/sim/ecs_world.lua"
local faults = require "sim.faults"
local t, within, when = ecs.t, ecs.within, ecs.when

local breaker = { enable = true, rollback = true }

local function each_seed(name, fn)
  for seed = 1, 7 do
    t.test(("%s (seed %d)"):format(name, seed), function()
      fn(seed)
    end)
  end
end

-- Updates the service to an image; gives when that was.
local function deploy(world, tag, container)
  local definition = ecs.define(world, ecs.image(tag), container)
  local at = world:now()
  ecs.update(world, { task_definition = definition })
  return at
end

-- The messages of a list of events, in order.
local function messages(list)
  local out = {}
  for index, event in ipairs(list) do
    out[index] = event.message
  end
  return out
end

local function status_of(world)
  return ecs.call(world, "list_service_deployments", { cluster = "prod", service = "web" }).service_deployments[1].status
end

each_seed("A: a rollout starts one, registers it, stops the old one, drains, completes", function(seed)
  local world = ecs.start { seed = seed }
  local at = deploy(world, "app:v2")
  t.advance(world, 400)
  local list = ecs.events(world, at)
  t.equal(messages(list), {
    "has started 1 tasks: (task).", "registered 1 targets in (group)", "has stopped 1 running tasks: (task).",
    "deregistered 1 targets in (group)", "(taskSet ID) has begun draining connections on 1 tasks.",
    "(deployment ID) deployment completed.", "has reached a steady state.",
  })
  local started, registered, stopped = list[1].at, list[2].at, list[3].at
  within(started, 1, 18, "update to started")
  within(registered - started, 9, 51, "started to registered")
  within(stopped - registered, 47, 55, "registered to old one stopped")
  within(list[4].at - stopped, 9, 11, "stopped to deregistered")
  within(list[5].at - list[4].at, 0.004, 0.006, "deregistered to draining")
  within(list[6].at - list[5].at, 50, 62, "draining to completed")
  within(list[7].at - list[6].at, 0.0009, 0.0011, "completed to steady")
  within(list[6].at, 120, 240, "the whole rollout")
  t.equal(status_of(world), "SUCCESSFUL")
end)

each_seed("B: bounds 0 to 100 stop the old one first", function(seed)
  local world = ecs.start { seed = seed, minimum = 0, maximum = 100 }
  local at = deploy(world, "app:v2")
  t.advance(world, 60)
  local task = ecs.tasks(world, "RUNNING")[1]
  t.advance(world, 300)
  local list = ecs.events(world, at)
  t.equal(messages(list), {
    "has stopped 1 running tasks: (task).", "has started 1 tasks: (task).", "deregistered 1 targets in (group)",
    "(taskSet ID) has begun draining connections on 1 tasks.", "registered 1 targets in (group)",
    "(deployment ID) deployment completed.", "has reached a steady state.",
  })
  within(list[1].at, 1, 18, "update to stopped")
  within(list[2].at - list[1].at, 0.4, 1.1, "stopped to started")
  within(list[3].at - list[1].at, 9, 11, "stopped to deregistered")
  within(list[5].at - list[2].at, 9, 51, "started to registered")
  task = ecs.call(world, "describe_tasks", { cluster = "prod", tasks = { task.task_arn } }).tasks[1]
  within(task.started_at - at - list[5].at, 5, 10, "registered to RUNNING")
  within(list[6].at - (task.started_at - at), 40, 46, "RUNNING to completed")
end)

each_seed("C: a broken health page fails three times, then the breaker rolls back", function(seed)
  local world = ecs.start { seed = seed, breaker = breaker, grace = 60, delay = 10 }
  local old = ecs.service(world)
  faults.set(world, "behaviour", "app:v2", { paths = { ["/api/healthz"] = 500 } })
  local at = deploy(world, "app:v2")
  t.advance(world, 1200)
  local list = ecs.events(world, at)
  local bad = "is unhealthy in (group) due to (reason Health checks failed with these codes: [500])."
  local first, second, third = when(list, bad), when(list, bad, 2), when(list, bad, 3)
  within(first, 100, 130, "update to the first failure")
  within(second - first, 200, 230, "first to second failure")
  within(third - second, 200, 230, "second to third failure")
  t.equal(when(list, bad, 4), nil, "a fourth failure")
  local failed = when(list, "deployment failed: tasks failed to start.")
  within(failed - third, 37, 90, "third failure to FAILED")
  within(failed, 560, 900, "update to FAILED")
  within(when(list, "rolling back to deployment ID.") - failed, 0.0009, 0.0011, "failed to rolling back")
  within(when(list, "deployment completed.") - failed, 10, 60, "rollback")
  local service = ecs.service(world)
  t.equal(service.deployments[1].id, old.deployments[1].id, "the deployment's id")
  t.equal(service.task_definition, old.task_definition)
  t.equal(service.deployments[2], nil)
  t.equal(status_of(world), "ROLLBACK_SUCCESSFUL")
  t.equal(ecs.tasks(world, "RUNNING")[1].started_at < at, true, "the old task served throughout")
end)

each_seed("D: with a delay of 300 s every failed cycle is long", function(seed)
  local world = ecs.start { seed = seed, breaker = breaker, delay = 300, interval = 10, unhealthy = 2 }
  faults.set(world, "behaviour", "app:v2", { start_seconds = 1e6 })
  local at = deploy(world, "app:v2")
  t.advance(world, 2400)
  local list = ecs.events(world, at)
  local bad = "is unhealthy in (group) due to (reason Health checks failed)."
  local first, second, third = when(list, bad), when(list, bad, 2), when(list, bad, 3)
  within(second - first, 330, 470, "first to second failure")
  within(third - second, 330, 470, "second to third failure")
  within(when(list, "deployment failed") - third, 37, 90, "third failure to FAILED")
  t.truthy(when(list, "rolling back to deployment ID."))
end)

each_seed("E: a missing image fails at about 2:34, 4:46 and 11:00, and nothing is ever registered", function(seed)
  local world = ecs.start { seed = seed, breaker = breaker }
  local at = deploy(world, "app:v9")
  local seen = {}
  for count = 1, 3 do
    ecs.wait(world, 900, function()
      return ecs.service(world).deployments[1].failed_tasks >= count
    end)
    seen[count] = world:now() - at
  end
  within(seen[1], 125, 180, "the first failure")
  within(seen[2], 250, 320, "the second failure")
  within(seen[3], 600, 720, "the third failure")
  within(ecs.wait_for(world, "COMPLETED"), 40, 150, "third failure to the end of the rollback")
  local list = ecs.events(world, at)
  within(when(list, "deployment failed"), 480, 780, "FAILED")
  t.equal(when(list, "registered"), nil, "a registration")
  t.truthy(when(list, "is unable to consistently start tasks successfully."))
  t.equal(when(list, "is unable to consistently start tasks successfully.", 2), nil, "the slow-down is told once")
  t.contains(list[2].message, "was unable to place a task. Reason: CannotPullContainerError: ")
end)

each_seed("F: a failing container check replaces one, stops one, then fails and is rolled back", function(seed)
  local check = { health_check = { command = { "CMD-SHELL", "exit 0" } } }
  local world = ecs.start {
    seed = seed, plain = true, desired = 2, minimum = 50, container = check,
    breaker = { enable = true, rollback = true, threshold_configuration = { type = "COUNT", value = 2 } },
  }
  faults.set(world, "behaviour", "app:v2", { health = "unhealthy" })
  local at = deploy(world, "app:v2", check)
  t.advance(world, 900)
  local list = ecs.events(world, at)
  local replaced = when(list, "has started 1 tasks: (task). Amazon ECS replaced 1 tasks due to an unhealthy status.")
  local bad = when(list, "(task) failed container health checks.")
  local failed = when(list, "deployment failed: tasks failed to start.")
  local restarted = when(list, "has started 1 tasks: (task).", 2)
  local completed = when(list, "deployment completed.")
  within(replaced, 90, 160, "update to replacement")
  within(bad - replaced, 0, 12, "replacement to stop")
  within(failed - bad, 30, 90, "stop to FAILED")
  within(when(list, "rolling back to deployment ID.") - failed, 0.0009, 0.0011, "failed to rolling back")
  within(restarted - failed, 10, 30, "FAILED to the old revision's start")
  t.equal(restarted < completed, true)
  local gone = 0
  for _, task in ipairs(ecs.tasks(world)) do
    if task.task_definition_arn:match(":2$") then
      t.equal(task.last_status, "STOPPED")
      gone = gone + (task.stopped_reason == "Task failed container health checks" and 1 or 0)
    end
  end
  t.equal(gone >= 1, true, "a task stopped for its health")
  t.equal(when(list, "has reached a steady state.") > completed, true)
end)

each_seed("G: a hung process is replaced first and stopped once the replacement is healthy", function(seed)
  local new = ecs.empty(seed)
  faults.set(new, "behaviour", "app:v1", { hang_after = 620 })
  local world, group = ecs.start { world = new, interval = 10, unhealthy = 3, delay = 30 }
  local at = world:now()
  local function health()
    return t.call(world, "elbv2", "describe_target_health", { target_group_arn = group }).target_health_descriptions
  end
  ecs.wait(world, 120, function()
    return health()[1].target_health.state == "unhealthy"
  end, 0.5)
  local unhealthy = world:now() - at
  t.equal(health()[1].target_health.reason, "Target.Timeout")
  ecs.wait(world, 90, function()
    local list = health()
    return list[2] and list[1].target_health.state ~= list[2].target_health.state
      and (list[1].target_health.state == "healthy" or list[2].target_health.state == "healthy")
  end, 0.5)
  local healthy = world:now() - at
  t.advance(world, 120)
  local list = ecs.events(world, at)
  within(when(list, "replaced 1 tasks due to an unhealthy status.") - unhealthy, 1.5, 10, "unhealthy to replacement")
  local stopped = when(list, "(task) (port 3000) is unhealthy in (group) due to (reason Request timed out).")
  within(stopped - healthy, 9, 20, "replacement healthy to bad one stopped")
  local draining = when(list, "has begun draining connections on 1 tasks.")
  within(draining - stopped, 9, 11, "stopped to draining")
  t.equal(#health(), 1, "targets at the end")
  t.equal(ecs.service(world).deployments[1].rollout_state, "COMPLETED", "a completed deployment is never failed")
end)

each_seed("H: the old task drains long after the deployment is completed", function(seed)
  local world = ecs.start { seed = seed, delay = 300 }
  local old = ecs.tasks(world, "RUNNING")[1].task_arn
  deploy(world, "app:v2")
  ecs.wait_for(world, "COMPLETED")
  local done = world:now()
  local seen, last = {}, nil
  ecs.wait(world, 900, function()
    local task = ecs.call(world, "describe_tasks", { cluster = "prod", tasks = { old } }).tasks[1]
    if task.last_status ~= last then
      last = task.last_status
      seen[#seen + 1] = { last, world:now() - done }
    end
    return last == "STOPPED"
  end)
  t.equal({ seen[1][1], seen[2][1], seen[3][1], seen[4][1] }, { "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED" })
  within(seen[2][2], 230, 380, "completed to STOPPING")
  within(seen[3][2] - seen[2][2], 1, 48, "STOPPING")
  within(seen[4][2] - seen[3][2], 10, 25, "DEPROVISIONING")
end)

t.test("the same seed gives the same events, ids and times", function()
  local function run(seed)
    local world = ecs.start { seed = seed, breaker = breaker, desired = 3 }
    deploy(world, "app:v9")
    t.advance(world, 1500)
    return t.show { ecs.service(world), ecs.tasks(world) }
  end
  local first = run(5)
  t.equal(run(5) == first, true, "two runs of one seed are the same")
  t.equal(run(6) == first, false, "another seed is the same")
end)

t.finish()
