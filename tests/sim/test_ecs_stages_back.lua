--- Ways back of deployments with lifecycle stages: stopped, failed, taken over.

local ecs = dofile "tests/sim/ecs_stages.lua"
local faults = require "sim.faults"
local t = ecs.t

local stoppable = {
  "PRE_SCALE_UP", "SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT",
  "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP",
}

t.test("a deployment can be stopped in every stage: blue has all traffic at once, green is stopped", function()
  for _, stage in ipairs(stoppable) do
    local world, front = ecs.staged { desired = 2 }
    local before = ecs.service(world)
    ecs.deploy(world, "app:v2")
    ecs.wait_stage(world, stage)
    t.equal(ecs.stop(world).error, nil, stage)
    t.equal(ecs.record(world).status, "ROLLBACK_REQUESTED", stage)
    ecs.wait_status(world, "ROLLBACK_IN_PROGRESS", 10)
    if stage ~= "CLEAN_UP" then -- by then blue has to come up again first
      t.equal(ecs.weights(world, front, "production"), { 100, 0 }, stage)
    end
    local record = ecs.wait_status(world, "ROLLBACK_SUCCESSFUL", 900)
    local service = ecs.service(world)
    t.equal({ service.task_definition, #service.deployments, service.running_count, service.deployments[1].id },
      { before.task_definition, 1, 2, before.deployments[1].id }, stage)
    t.equal({ record.rollback.service_revision_arn, ecs.shares(record) },
      { record.source_service_revisions[1].arn, { 0, 100, 0, 100 } }, stage)
    t.advance(world, 120)
    t.equal({ ecs.targets(world, front.first), ecs.targets(world, front.second) },
      { { "healthy", "healthy" }, {} }, stage)
  end
end)

t.test("customers are answered all the time, in whatever stage a deployment is stopped or taken over", function()
  for _, stage in ipairs(stoppable) do
    for _, act in ipairs { ecs.stop, function(world) ecs.deploy(world, "app:v3") end } do
      local world = ecs.staged { bake = 1 }
      ecs.deploy(world, "app:v2")
      ecs.wait_stage(world, stage)
      act(world)
      for _ = 1, 200 do
        t.advance(world, 3)
        t.equal(ecs.ask(world), 200, stage)
      end
    end
  end
end)

t.test("no stage goes on once a rollback is asked for", function()
  local world = ecs.staged { hooks = { ecs.pause "POST_SCALE_UP" } }
  ecs.deploy(world, "app:v2")
  ecs.wait_stage(world, "POST_SCALE_UP")
  ecs.stop(world)
  ecs.wait_status(world, "ROLLBACK_SUCCESSFUL")
  t.equal(ecs.record(world).lifecycle_hook_details, {}, "nobody waits any more")
end)

t.test("between the wish to go back and the rollback no traffic shifts", function()
  for seed = 1, 10 do
    local world, front = ecs.staged { seed = seed, hooks = { ecs.pause "POST_TEST_TRAFFIC_SHIFT" } }
    ecs.deploy(world, "app:v2")
    ecs.wait_stage(world, "POST_TEST_TRAFFIC_SHIFT")
    t.advance(world, 60)
    ecs.answer(world, "ROLLBACK")
    for _ = 1, 40 do
      t.advance(world, 0.25)
      t.equal(ecs.weights(world, front, "production"), { 100, 0 })
    end
  end
end)

t.test("what serves is kept up though it was stopped itself, when a new update comes before blue is back", function()
  local world = ecs.staged { desired = 2, bake = 0 }
  ecs.deploy(world, "app:v2")
  ecs.wait_stage(world, "CLEAN_UP")
  t.advance(world, 15)
  ecs.stop(world)
  ecs.wait_status(world, "ROLLBACK_IN_PROGRESS", 10)
  ecs.deploy(world, "app:v3")
  t.advance(world, 20)
  local function of_v2()
    local out = {}
    for _, task in ipairs(ecs.tasks(world, "RUNNING")) do
      out[#out + 1] = task.task_definition_arn:match(":2$") and task.task_arn or nil
    end
    return out
  end
  t.equal(#of_v2(), 2, "the serving tasks")
  ecs.call(world, "stop_task", { cluster = "prod", task = of_v2()[1] })
  local most = 0
  for _ = 1, 150 do
    t.advance(world, 4)
    most = math.max(most, #of_v2())
    t.equal(ecs.ask(world), 200)
  end
  t.equal({ most, ecs.record(world).status }, { 2, "SUCCESSFUL" })
end)

t.test("the breaker takes green away before anybody but a test has seen it", function()
  local world, front = ecs.staged { breaker = { enable = true, rollback = true } }
  faults.set(world, "behaviour", "app:v2", { exit = { code = 1, after = 8 } })
  ecs.deploy(world, "app:v2")
  local seen = 0
  ecs.wait(world, 3600, function()
    local record = ecs.record(world)
    seen = math.max(seen, record.target_service_revision.requested_production_traffic_weight)
    return record.status == "ROLLBACK_SUCCESSFUL"
  end)
  local record = ecs.record(world)
  t.equal({ seen, record.deployment_circuit_breaker.status, record.status_reason },
    { 0, "TRIGGERED", "Service deployment rolled back because the circuit breaker threshold was exceeded." })
  t.equal(ecs.targets(world, front.first), { "healthy" })
end)

t.test("without a breaker a green that never becomes healthy never gets traffic", function()
  local world, front = ecs.staged {}
  faults.set(world, "behaviour", "app:v2", { paths = { ["/api/healthz"] = 500 } })
  ecs.deploy(world, "app:v2")
  for _ = 1, 120 do
    t.advance(world, 60)
    t.equal({ ecs.record(world).lifecycle_stage, ecs.weights(world, front, "production") }, { "SCALE_UP", { 100, 0 } })
  end
  t.equal(ecs.record(world).status, "IN_PROGRESS")
end)

t.test("a breaker without rollback stops green where it is, and the next update clears it away", function()
  local world, front = ecs.staged { breaker = { enable = true, rollback = false }, bake = 0 }
  ecs.deploy(world, "app:v9")
  local record = ecs.wait_status(world, "STOPPED")
  t.equal(record.status_reason, "Service deployment stopped because the circuit breaker threshold was exceeded.")
  t.equal({ ecs.weights(world, front, "production"), ecs.targets(world, front.first) }, { { 100, 0 }, { "healthy" } })
  ecs.deploy(world, "app:v2")
  ecs.wait_stage(world, "RECONCILE_SERVICE", 60)
  ecs.wait_status(world, "SUCCESSFUL")
  t.equal({ ecs.weights(world, front, "production"), #ecs.service(world).deployments }, { { 0, 100 }, 1 })
end)

t.test("an alarm in the bake time sends all traffic back to blue", function()
  local world = ecs.empty()
  t.call(world, "cloudwatch", "put_metric_alarm", {
    alarm_name = "errors", namespace = "App", metric_name = "errors", statistic = "Sum", period = 60,
    evaluation_periods = 1, threshold = 1, comparison_operator = "GreaterThanThreshold",
  })
  faults.set(world, "alarm", "errors", "OK")
  t.advance(world, 120)
  local _, front = ecs.staged {
    world = world, bake = 30, alarms = { alarm_names = { "errors" }, enable = true, rollback = true },
  }
  ecs.deploy(world, "app:v2")
  ecs.wait_stage(world, "BAKE_TIME")
  t.advance(world, 300)
  faults.set(world, "alarm", "errors", "ALARM")
  ecs.wait_status(world, "ROLLBACK_IN_PROGRESS", 90)
  t.equal(ecs.weights(world, front, "production"), { 100, 0 })
  local record = ecs.wait_status(world, "ROLLBACK_SUCCESSFUL")
  t.equal({ record.alarms.triggered_alarm_names, record.status_reason },
    { { "errors" }, "Service deployment rolled back because of an alarm." })
end)

t.test("a newer update takes over: what was green goes first, then its own green comes", function()
  local world, front = ecs.staged { desired = 2, hooks = { ecs.pause "POST_TEST_TRAFFIC_SHIFT" } }
  ecs.deploy(world, "app:v2")
  ecs.wait_stage(world, "POST_TEST_TRAFFIC_SHIFT")
  local old = ecs.record(world).service_deployment_arn
  ecs.deploy(world, "app:v3")
  t.equal(#ecs.record(world).source_service_revisions, 2)
  ecs.wait_stage(world, "RECONCILE_SERVICE", 60)
  t.equal({ ecs.weights(world, front, "production"), ecs.weights(world, front, "test") }, { { 100, 0 }, { 100, 0 } })
  ecs.wait_stage(world, "POST_TEST_TRAFFIC_SHIFT")
  t.equal({ ecs.record(world, 2).service_deployment_arn, ecs.record(world, 2).status }, { old, "STOPPED" })
  ecs.answer(world)
  ecs.wait_status(world, "SUCCESSFUL")
  local service = ecs.service(world)
  t.equal({ service.running_count, service.task_definition:match(":%d+$") }, { 2, ":3" })
end)

t.test("a task that blue loses in the middle is replaced", function()
  local world, front = ecs.staged { desired = 2, hooks = { ecs.pause "POST_TEST_TRAFFIC_SHIFT" } }
  ecs.deploy(world, "app:v2")
  ecs.wait_stage(world, "POST_TEST_TRAFFIC_SHIFT")
  for _, task in ipairs(ecs.tasks(world, "RUNNING")) do
    if task.task_definition_arn:match(":1$") then
      ecs.call(world, "stop_task", { cluster = "prod", task = task.task_arn })
      break
    end
  end
  t.advance(world, 300)
  local both = { "healthy", "healthy" }
  t.equal({ ecs.targets(world, front.first), ecs.targets(world, front.second) }, { both, both })
end)

t.test("tasks that find no room while a deployment is paused come up once there is some", function()
  local world = ecs.staged { hooks = { ecs.pause "POST_TEST_TRAFFIC_SHIFT" } }
  ecs.deploy(world, "app:v2")
  ecs.wait_stage(world, "POST_TEST_TRAFFIC_SHIFT")
  faults.set(world, "capacity", "web", "unavailable")
  ecs.update(world, { desired_count = 2 })
  t.advance(world, 3600)
  t.equal(ecs.service(world).running_count, 2)
  faults.clear(world, "capacity")
  t.advance(world, 3600)
  t.equal({ ecs.service(world).running_count, ecs.record(world).lifecycle_stage }, { 4, "POST_TEST_TRAFFIC_SHIFT" })
end)

t.test("the desired count changes both revisions", function()
  local world = ecs.staged { hooks = { ecs.pause "POST_TEST_TRAFFIC_SHIFT" } }
  ecs.deploy(world, "app:v2")
  ecs.wait_stage(world, "POST_TEST_TRAFFIC_SHIFT")
  ecs.update(world, { desired_count = 3 })
  t.advance(world, 300)
  local record = ecs.record(world)
  t.equal({ record.target_service_revision.running_task_count, record.source_service_revisions[1].running_task_count },
    { 3, 3 })
end)

t.test("a service may go from rolling to blue/green and back", function()
  local world = ecs.empty()
  local front = ecs.shifting_balancer(world)
  ecs.call(world, "create_service", {
    cluster = "prod", service_name = "web", task_definition = ecs.define(world, ecs.image "app:v1"), desired_count = 1,
    launch_type = "FARGATE", network_configuration = ecs.network(world), load_balancers = ecs.shifting(front),
  })
  ecs.wait_status(world, "SUCCESSFUL")
  ecs.update(world, { deployment_configuration = { strategy = "BLUE_GREEN", bake_time_in_minutes = 1 } })
  ecs.deploy(world, "app:v2")
  ecs.wait_status(world, "SUCCESSFUL")
  t.equal({ ecs.targets(world, front.second), ecs.weights(world, front, "production") }, { { "healthy" }, { 0, 100 } })
  ecs.update(world, { deployment_configuration = { strategy = "ROLLING" } })
  ecs.deploy(world, "app:v3")
  ecs.wait_status(world, "SUCCESSFUL")
  t.advance(world, 120)
  t.equal({ ecs.record(world).lifecycle_stage, ecs.targets(world, front.second), ecs.targets(world, front.first) },
    { nil, { "healthy" }, {} })
end)

t.finish()
