--- Deployments with lifecycle stages: blue/green, linear, canary; hooks; ways back.

local ecs = dofile "tests/sim/ecs_world.lua"
local faults = require "sim.faults"
local t = ecs.t

local invalid = "InvalidParameterException"
local lambda = "arn:aws:lambda:eu-west-1:123456789012:function:gate"

local function deploy(world, image)
  ecs.update(world, { task_definition = ecs.define(world, ecs.image(image)) })
  return world:now()
end

local function pause(stage, timeout)
  return { target_type = "PAUSE", lifecycle_stages = { stage }, timeout_configuration = timeout }
end

local function gate(stage)
  return { hook_target_arn = lambda, lifecycle_stages = { stage } }
end

local function answer(world, action, hook_id)
  local record = ecs.record(world)
  return world:call("ecs", "continue_service_deployment", {
    service_deployment_arn = record.service_deployment_arn, action = action,
    hook_id = hook_id or record.lifecycle_hook_details[1].hook_id,
  }, t.caller)
end

local function stop(world)
  return world:call("ecs", "stop_service_deployment",
    { service_deployment_arn = ecs.record(world).service_deployment_arn, stop_type = "ROLLBACK" }, t.caller)
end

-- What production and tests get, of the target and of the first source.
local function shares(record)
  local source, target = record.source_service_revisions[1], record.target_service_revision
  return { target.requested_production_traffic_weight, source.requested_production_traffic_weight,
    target.requested_test_traffic_weight, source.requested_test_traffic_weight }
end

-- Each stage that is seen on the way to the end, with the production weight of the new revision.
local function journey(world, limit)
  local seen = {}
  ecs.wait(world, limit or 3600, function()
    local record = ecs.record(world)
    local weight = record.target_service_revision.requested_production_traffic_weight
    local step = record.lifecycle_stage and ("%s %s"):format(record.lifecycle_stage, weight and weight // 1 | 0 or "-")
    if step and seen[#seen] ~= step then
      seen[#seen + 1] = step
    end
    return record.status ~= "PENDING" and record.status ~= "IN_PROGRESS"
  end)
  return seen
end

local function targets(world, group)
  local states = {}
  for _, item in ipairs(t.call(world, "elbv2", "describe_target_health",
    { target_group_arn = group }).target_health_descriptions) do
    states[#states + 1] = item.target_health.state
  end
  table.sort(states)
  return states
end

local function holds_event(world, text)
  for _, event in ipairs(ecs.service(world).events) do
    if event.message:find(text, 1, true) then
      return true
    end
  end
  return false
end

-- ---- the way forward -----------------------------------------------------------------------------

t.test("a blue/green deployment passes its stages in order and shifts all traffic in one step", function()
  local world = ecs.staged {}
  deploy(world, "app:v2")
  t.equal(journey(world), {
    "PRE_SCALE_UP 0", "SCALE_UP 0", "POST_SCALE_UP 0", "TEST_TRAFFIC_SHIFT 0", "POST_TEST_TRAFFIC_SHIFT 0",
    "PRODUCTION_TRAFFIC_SHIFT 100", "POST_PRODUCTION_TRAFFIC_SHIFT 100", "BAKE_TIME 100", "CLEAN_UP 100",
  })
  t.equal({ ecs.record(world).status, #ecs.service(world).deployments }, { "SUCCESSFUL", 1 })
end)

t.test("the first deployment of a service has nobody to bake beside", function()
  local world = ecs.staged { unsettled = true, bake = 60 }
  t.equal(journey(world, 600), {
    "PRE_SCALE_UP 0", "SCALE_UP 0", "POST_SCALE_UP 0", "TEST_TRAFFIC_SHIFT 0", "POST_TEST_TRAFFIC_SHIFT 0",
    "PRODUCTION_TRAFFIC_SHIFT 100", "POST_PRODUCTION_TRAFFIC_SHIFT 100", "CLEAN_UP 100",
  })
end)

t.test("green comes up at full count in the other target group while blue keeps its own", function()
  local world, front = ecs.staged { desired = 3 }
  deploy(world, "app:v2")
  ecs.wait_stage(world, "POST_SCALE_UP")
  t.equal({ targets(world, front.first), targets(world, front.second) },
    { { "healthy", "healthy", "healthy" }, { "healthy", "healthy", "healthy" } })
  local record = ecs.record(world)
  t.equal({ record.target_service_revision.running_task_count, record.source_service_revisions[1].running_task_count },
    { 3, 3 })
  t.equal({ ecs.weights(world, front, "production"), ecs.weights(world, front, "test") }, { { 100, 0 }, { 100, 0 } })
end)

t.test("tests reach green first, then customers; the listener rules say the same as the revisions", function()
  local world, front = ecs.staged {}
  deploy(world, "app:v2")
  t.equal(shares(ecs.wait_stage(world, "POST_TEST_TRAFFIC_SHIFT")), { 0, 100, 100, 0 })
  t.equal({ ecs.weights(world, front, "production"), ecs.weights(world, front, "test") }, { { 100, 0 }, { 0, 100 } })
  t.equal(shares(ecs.wait_stage(world, "BAKE_TIME")), { 100, 0, 100, 0 })
  t.equal({ ecs.weights(world, front, "production"), ecs.weights(world, front, "test") }, { { 0, 100 }, { 0, 100 } })
end)

t.test("blue runs through the bake time and is stopped after it", function()
  local world, front = ecs.staged { bake = 7 }
  deploy(world, "app:v2")
  ecs.wait_stage(world, "BAKE_TIME")
  t.advance(world, 6 * 60)
  t.equal({ ecs.record(world).lifecycle_stage, targets(world, front.first) }, { "BAKE_TIME", { "healthy" } })
  local _, seconds = ecs.wait_status(world, "SUCCESSFUL")
  ecs.within(seconds, 60, 200, "the rest")
  t.equal({ targets(world, front.second), ecs.service(world).running_count }, { { "healthy" }, 1 })
end)

t.test("the next deployment goes back to the first target group", function()
  local world, front = ecs.staged { bake = 0 }
  deploy(world, "app:v2")
  ecs.wait_status(world, "SUCCESSFUL")
  deploy(world, "app:v3")
  ecs.wait_stage(world, "POST_SCALE_UP")
  t.equal({ targets(world, front.first), ecs.weights(world, front, "production") }, { { "healthy" }, { 0, 100 } })
  local record = ecs.wait_status(world, "SUCCESSFUL")
  t.equal(ecs.weights(world, front, "production"), { 100, 0 })
  local shown = ecs.call(world, "describe_service_revisions",
    { service_revision_arns = { record.target_service_revision.arn, record.source_service_revisions[1].arn } })
  local used = {}
  for index, revision in ipairs(shown.service_revisions) do
    used[index] = revision.resolved_configuration.load_balancers[1].target_group_arn
  end
  t.equal(used, { front.first, front.second })
end)

t.test("linear shifts in equal steps with a wait after each but the last", function()
  local world = ecs.staged { strategy = "LINEAR", linear = { step_percent = 30, step_bake_time_in_minutes = 2 } }
  deploy(world, "app:v2")
  local began = {}
  ecs.wait(world, 3600, function()
    local record = ecs.record(world)
    local weight = record.target_service_revision.requested_production_traffic_weight
    if weight > 0 and not began[weight] then
      began[weight] = world:now()
    end
    return record.lifecycle_stage == "BAKE_TIME"
  end)
  local steps = {}
  for weight in pairs(began) do
    steps[#steps + 1] = weight
  end
  table.sort(steps)
  t.equal(steps, { 30, 60, 90, 100 })
  ecs.within(began[60] - began[30], 120, 160, "the first wait")
  ecs.within(world:now() - began[100], 10, 60, "after the last step")
end)

t.test("steps have defaults: 10 percent and 6 minutes, 5 percent and 10 minutes", function()
  local world = ecs.staged { strategy = "LINEAR", plain = true }
  t.equal(ecs.service(world).deployment_configuration.linear_configuration,
    { step_percent = 10, step_bake_time_in_minutes = 6 })
  world = ecs.staged { strategy = "CANARY", plain = true }
  t.equal(ecs.service(world).deployment_configuration.canary_configuration,
    { canary_percent = 5, canary_bake_time_in_minutes = 10 })
end)

t.test("a canary gets its part, then everything; parts below one percent reach the rule in tenths", function()
  local world, front = ecs.staged {
    strategy = "CANARY", canary = { canary_percent = 0.5, canary_bake_time_in_minutes = 3 },
  }
  deploy(world, "app:v2")
  t.equal(shares(ecs.wait_stage(world, "PRODUCTION_TRAFFIC_SHIFT")), { 0.5, 99.5, 100, 0 })
  t.equal(ecs.weights(world, front, "production"), { 995, 5 })
  t.advance(world, 170)
  t.equal(ecs.weights(world, front, "production"), { 995, 5 })
  ecs.wait_stage(world, "POST_PRODUCTION_TRAFFIC_SHIFT", 60)
  t.equal(ecs.weights(world, front, "production"), { 0, 100 })
end)

t.test("a service without a load balancer passes the stages and shifts nothing", function()
  local world = ecs.staged { plain = true, bake = 1 }
  deploy(world, "app:v2")
  t.equal(journey(world), {
    "PRE_SCALE_UP -", "SCALE_UP -", "POST_SCALE_UP -", "TEST_TRAFFIC_SHIFT -", "POST_TEST_TRAFFIC_SHIFT -",
    "PRODUCTION_TRAFFIC_SHIFT -", "POST_PRODUCTION_TRAFFIC_SHIFT -", "BAKE_TIME -", "CLEAN_UP -",
  })
end)

t.test("a rolling deployment reports no stage, no weights and no hooks", function()
  local world = ecs.start {}
  deploy(world, "app:v2")
  t.advance(world, 60)
  local record = ecs.record(world)
  t.equal({ record.lifecycle_stage, record.lifecycle_hook_details,
    record.target_service_revision.requested_production_traffic_weight }, {})
end)

t.test("an ordinary minute's requests follow the production weights, not those for tests", function()
  local world, front = ecs.staged { hooks = { pause "POST_TEST_TRAFFIC_SHIFT" } }
  deploy(world, "app:v2")
  ecs.wait_stage(world, "POST_TEST_TRAFFIC_SHIFT")
  t.advance(world, 600)
  local seen = {}
  for _, metric in ipairs(t.call(world, "cloudwatch", "list_metrics", { metric_name = "RequestCount" }).metrics) do
    for _, dimension in ipairs(metric.dimensions) do
      seen[dimension.value] = true
    end
  end
  t.truthy(seen[front.first:match(":(targetgroup/.*)$")], "blue's requests")
  t.equal(seen[front.second:match(":(targetgroup/.*)$")], nil, "green's requests")
end)

-- ---- hooks ---------------------------------------------------------------------------------------

t.test("a pause hook holds its stage until somebody continues", function()
  local world = ecs.staged { hooks = { pause "POST_TEST_TRAFFIC_SHIFT" } }
  deploy(world, "app:v2")
  local record = ecs.wait_stage(world, "POST_TEST_TRAFFIC_SHIFT")
  t.advance(world, 3600)
  local hook = ecs.record(world).lifecycle_hook_details[1]
  t.truthy(hook.hook_id:match("^ecs%-pause%-[%w_-]+$"), "hook id " .. hook.hook_id)
  t.equal({ ecs.record(world).lifecycle_stage, hook.status, hook.target_type, hook.timeout_action },
    { "POST_TEST_TRAFFIC_SHIFT", "AWAITING_ACTION", "PAUSE", "ROLLBACK" })
  t.near(hook.expires_at - record.updated_at, 24 * 3600, 1)
  t.equal(answer(world).output, { service_deployment_arn = record.service_deployment_arn })
  t.equal(ecs.record(world).lifecycle_hook_details[1].status, "SUCCEEDED")
  ecs.wait_status(world, "SUCCESSFUL")
end)

t.test("a pause answered with ROLLBACK goes back, and no customer has seen green", function()
  local world, front = ecs.staged { hooks = { pause "POST_TEST_TRAFFIC_SHIFT" } }
  local before = ecs.service(world).task_definition
  deploy(world, "app:v2")
  ecs.wait_stage(world, "POST_TEST_TRAFFIC_SHIFT")
  answer(world, "ROLLBACK")
  t.equal({ ecs.record(world).status, ecs.record(world).lifecycle_hook_details[1].status },
    { "ROLLBACK_REQUESTED", "FAILED" })
  local record = ecs.wait_status(world, "ROLLBACK_SUCCESSFUL")
  t.equal({ record.target_service_revision.requested_production_traffic_weight, ecs.service(world).task_definition },
    { 0, before })
  t.equal({ ecs.weights(world, front, "production"), ecs.weights(world, front, "test") }, { { 100, 0 }, { 100, 0 } })
end)

t.test("a pause that nobody answers times out, and goes back or on as it says", function()
  local world = ecs.staged { hooks = { pause("PRE_SCALE_UP", { timeout_in_minutes = 10 }) } }
  deploy(world, "app:v2")
  local record, seconds = ecs.wait_status(world, "ROLLBACK_SUCCESSFUL")
  ecs.within(seconds, 600, 720, "the time")
  t.equal({ record.status_reason, record.lifecycle_hook_details[1].status },
    { "Service deployment rolled back because PRE_SCALE_UP pause hook timed out.", "TIMED_OUT" })
  world = ecs.staged { hooks = { pause("PRE_SCALE_UP", { timeout_in_minutes = 10, action = "CONTINUE" }) } }
  deploy(world, "app:v2")
  ecs.wait_status(world, "SUCCESSFUL")
end)

t.test("what cannot be continued is refused in the words of ECS", function()
  local world = ecs.staged { hooks = { pause "POST_SCALE_UP" }, bake = 0 }
  deploy(world, "app:v2")
  ecs.wait_stage(world, "POST_SCALE_UP")
  local function refused(action, id, text)
    t.equal(t.raises(invalid, function() return answer(world, action, id) end).message, text)
  end
  local unknown = "Provided hookId is either completed, unavailable, or not associated with the given Resource ARN"
  refused("CONTINUE", "h1", "Invalid hookId: hookId must follow the format: ecs-{hookType}-{id}")
  refused("CONTINUE", "ecs-pause-none", unknown)
  refused("STOP", nil, "STOP is not a valid value for action.")
  local id = ecs.record(world).lifecycle_hook_details[1].hook_id
  answer(world, "CONTINUE")
  refused("CONTINUE", id, unknown)
  ecs.wait_status(world, "SUCCESSFUL")
  refused("CONTINUE", id, "Continuing a service deployment is not allowed for service deployment in terminal states.")
end)

t.test("a function answers well unless the scenario says otherwise", function()
  local world = ecs.staged { hooks = { gate "POST_SCALE_UP" } }
  deploy(world, "app:v2")
  ecs.wait_stage(world, "POST_SCALE_UP")
  local hook = ecs.record(world).lifecycle_hook_details[1]
  t.equal({ hook.target_type, hook.target_arn, hook.status }, { "AWS_LAMBDA", lambda, "IN_PROGRESS" })
  ecs.wait_status(world, "SUCCESSFUL")
end)

t.test("a function that says FAILED rolls the deployment back, and the reason names stage and function", function()
  for _, key in ipairs { "gate", "POST_SCALE_UP" } do
    local world = ecs.staged { hooks = { gate "POST_SCALE_UP" } }
    faults.set(world, "hook", key, { result = "FAILED" })
    deploy(world, "app:v2")
    local record = ecs.wait_status(world, "ROLLBACK_SUCCESSFUL")
    local reason = "Service deployment rolled back because POST_SCALE_UP lifecycle hook(s) failed. "
      .. "Lifecycle hook target " .. lambda .. " returned FAILED status."
    t.equal({ record.status_reason, record.rollback.reason, record.lifecycle_hook_details[1].status },
      { reason, reason, "FAILED" })
    t.truthy(holds_event(world, "service web deployment failed: " .. reason), "the event")
  end
end)

t.test("a function may be in progress for a while: it is asked again every thirty seconds", function()
  local world = ecs.staged { hooks = { gate "POST_SCALE_UP" } }
  faults.set(world, "hook", "gate", { result = "SUCCEEDED", after = 100 })
  deploy(world, "app:v2")
  ecs.wait_stage(world, "POST_SCALE_UP")
  local _, seconds = ecs.wait_stage(world, "TEST_TRAFFIC_SHIFT")
  ecs.within(seconds, 100, 140, "the wait")
end)

t.test("hooks before a production shift come again at every step, each with a new id", function()
  local world = ecs.staged {
    strategy = "LINEAR", linear = { step_percent = 50, step_bake_time_in_minutes = 0 },
    hooks = { pause "PRE_PRODUCTION_TRAFFIC_SHIFT" },
  }
  deploy(world, "app:v2")
  ecs.wait_stage(world, "PRE_PRODUCTION_TRAFFIC_SHIFT")
  local first = ecs.record(world).lifecycle_hook_details[1].hook_id
  t.equal(ecs.record(world).target_service_revision.requested_production_traffic_weight, 0)
  answer(world)
  ecs.wait_stage(world, "PRODUCTION_TRAFFIC_SHIFT")
  ecs.wait_stage(world, "PRE_PRODUCTION_TRAFFIC_SHIFT")
  local second = ecs.record(world).lifecycle_hook_details[1].hook_id
  t.equal({ ecs.record(world).target_service_revision.requested_production_traffic_weight, first == second },
    { 50, false })
  answer(world)
  ecs.wait_status(world, "SUCCESSFUL")
end)

t.test("both hooks of a stage have to be answered", function()
  local world = ecs.staged { hooks = { pause "POST_SCALE_UP", gate "POST_SCALE_UP" } }
  deploy(world, "app:v2")
  ecs.wait_stage(world, "POST_SCALE_UP")
  t.advance(world, 60)
  local statuses = {}
  for index, hook in ipairs(ecs.record(world).lifecycle_hook_details) do
    statuses[index] = hook.status
  end
  t.equal({ statuses, ecs.record(world).lifecycle_stage }, { { "AWAITING_ACTION", "SUCCEEDED" }, "POST_SCALE_UP" })
end)

t.test("a hook that refuses the first deployment leaves nothing to go back to", function()
  local world = ecs.empty()
  faults.set(world, "hook", "gate", { result = "FAILED" })
  local front = ecs.shifting_balancer(world)
  ecs.call(world, "create_service", {
    cluster = "prod", service_name = "web", task_definition = ecs.define(world, ecs.image "app:v1"), desired_count = 1,
    launch_type = "FARGATE", network_configuration = ecs.network(world), load_balancers = ecs.shifting(front),
    deployment_configuration = { strategy = "BLUE_GREEN", lifecycle_hooks = { gate "PRE_SCALE_UP" } },
  })
  local record = ecs.wait_status(world, "ROLLBACK_FAILED", 120)
  t.equal(record.status_reason, "No rollback candidate was found to run the rollback.")
  t.truthy(holds_event(world, "PRE_SCALE_UP lifecycle hook(s) failed"), "the event says why")
  t.equal(ecs.service(world).running_count, 0)
end)

-- ---- ways back -----------------------------------------------------------------------------------

local stoppable = {
  "PRE_SCALE_UP", "SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT",
  "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP",
}

t.test("a deployment can be stopped in every stage: blue has all traffic at once, green is stopped", function()
  for _, stage in ipairs(stoppable) do
    local world, front = ecs.staged { desired = 2 }
    local before = ecs.service(world)
    deploy(world, "app:v2")
    ecs.wait_stage(world, stage)
    t.equal(stop(world).error, nil, stage)
    t.equal(ecs.record(world).status, "ROLLBACK_REQUESTED", stage)
    ecs.wait_status(world, "ROLLBACK_IN_PROGRESS", 10)
    if stage ~= "CLEAN_UP" then -- by then blue has to come up again first
      t.equal(ecs.weights(world, front, "production"), { 100, 0 }, stage)
    end
    local record = ecs.wait_status(world, "ROLLBACK_SUCCESSFUL", 900)
    local service = ecs.service(world)
    t.equal({ service.task_definition, #service.deployments, service.running_count, service.deployments[1].id },
      { before.task_definition, 1, 2, before.deployments[1].id }, stage)
    t.equal({ record.rollback.service_revision_arn, shares(record) },
      { record.source_service_revisions[1].arn, { 0, 100, 0, 100 } }, stage)
    t.advance(world, 120)
    t.equal({ targets(world, front.first), targets(world, front.second) }, { { "healthy", "healthy" }, {} }, stage)
  end
end)

t.test("customers are answered all the time, in whatever stage a deployment is stopped or taken over", function()
  for _, stage in ipairs(stoppable) do
    for _, act in ipairs { stop, function(world) deploy(world, "app:v3") end } do
      local world = ecs.staged { bake = 1 }
      local host = t.call(world, "elbv2", "describe_load_balancers", {}).load_balancers[1].dns_name
      deploy(world, "app:v2")
      ecs.wait_stage(world, stage)
      act(world)
      for _ = 1, 200 do
        t.advance(world, 3)
        local answer = require("sim.elbv2").http(world, { host = host, path = "/", method = "GET", headers = {} })
        t.equal(answer.status, 200, stage)
      end
    end
  end
end)

t.test("no stage goes on once a rollback is asked for", function()
  local world = ecs.staged { hooks = { pause "POST_SCALE_UP" } }
  deploy(world, "app:v2")
  ecs.wait_stage(world, "POST_SCALE_UP")
  stop(world)
  ecs.wait_status(world, "ROLLBACK_SUCCESSFUL")
  t.equal(ecs.record(world).lifecycle_hook_details, {}, "nobody waits any more")
end)

t.test("the breaker takes green away before anybody but a test has seen it", function()
  local world, front = ecs.staged { breaker = { enable = true, rollback = true } }
  faults.set(world, "behaviour", "app:v2", { exit = { code = 1, after = 8 } })
  deploy(world, "app:v2")
  local seen = 0
  ecs.wait(world, 3600, function()
    local record = ecs.record(world)
    seen = math.max(seen, record.target_service_revision.requested_production_traffic_weight)
    return record.status == "ROLLBACK_SUCCESSFUL"
  end)
  local record = ecs.record(world)
  t.equal({ seen, record.deployment_circuit_breaker.status, record.status_reason },
    { 0, "TRIGGERED", "Service deployment rolled back because the circuit breaker threshold was exceeded." })
  t.equal(targets(world, front.first), { "healthy" })
end)

t.test("without a breaker a green that never becomes healthy never gets traffic", function()
  local world, front = ecs.staged {}
  faults.set(world, "behaviour", "app:v2", { paths = { ["/api/healthz"] = 500 } })
  deploy(world, "app:v2")
  for _ = 1, 120 do
    t.advance(world, 60)
    t.equal({ ecs.record(world).lifecycle_stage, ecs.weights(world, front, "production") }, { "SCALE_UP", { 100, 0 } })
  end
  t.equal(ecs.record(world).status, "IN_PROGRESS")
end)

t.test("a breaker without rollback stops green where it is, and the next update clears it away", function()
  local world, front = ecs.staged { breaker = { enable = true, rollback = false }, bake = 0 }
  deploy(world, "app:v9")
  local record = ecs.wait_status(world, "STOPPED")
  t.equal(record.status_reason, "Service deployment stopped because the circuit breaker threshold was exceeded.")
  t.equal({ ecs.weights(world, front, "production"), targets(world, front.first) }, { { 100, 0 }, { "healthy" } })
  deploy(world, "app:v2")
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
  deploy(world, "app:v2")
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
  local world, front = ecs.staged { desired = 2, hooks = { pause "POST_TEST_TRAFFIC_SHIFT" } }
  deploy(world, "app:v2")
  ecs.wait_stage(world, "POST_TEST_TRAFFIC_SHIFT")
  local old = ecs.record(world).service_deployment_arn
  deploy(world, "app:v3")
  t.equal(#ecs.record(world).source_service_revisions, 2)
  ecs.wait_stage(world, "RECONCILE_SERVICE", 60)
  t.equal({ ecs.weights(world, front, "production"), ecs.weights(world, front, "test") }, { { 100, 0 }, { 100, 0 } })
  ecs.wait_stage(world, "POST_TEST_TRAFFIC_SHIFT")
  t.equal({ ecs.record(world, 2).service_deployment_arn, ecs.record(world, 2).status }, { old, "STOPPED" })
  answer(world)
  ecs.wait_status(world, "SUCCESSFUL")
  local service = ecs.service(world)
  t.equal({ service.running_count, service.task_definition:match(":%d+$") }, { 2, ":3" })
end)

t.test("a task that blue loses in the middle is replaced", function()
  local world, front = ecs.staged { desired = 2, hooks = { pause "POST_TEST_TRAFFIC_SHIFT" } }
  deploy(world, "app:v2")
  ecs.wait_stage(world, "POST_TEST_TRAFFIC_SHIFT")
  for _, task in ipairs(ecs.tasks(world, "RUNNING")) do
    if task.task_definition_arn:match(":1$") then
      ecs.call(world, "stop_task", { cluster = "prod", task = task.task_arn })
      break
    end
  end
  t.advance(world, 300)
  local both = { "healthy", "healthy" }
  t.equal({ targets(world, front.first), targets(world, front.second) }, { both, both })
end)

t.test("tasks that find no room while a deployment is paused come up once there is some", function()
  local world = ecs.staged { hooks = { pause "POST_TEST_TRAFFIC_SHIFT" } }
  deploy(world, "app:v2")
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
  local world = ecs.staged { hooks = { pause "POST_TEST_TRAFFIC_SHIFT" } }
  deploy(world, "app:v2")
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
  deploy(world, "app:v2")
  ecs.wait_status(world, "SUCCESSFUL")
  t.equal({ targets(world, front.second), ecs.weights(world, front, "production") }, { { "healthy" }, { 0, 100 } })
  ecs.update(world, { deployment_configuration = { strategy = "ROLLING" } })
  deploy(world, "app:v3")
  ecs.wait_status(world, "SUCCESSFUL")
  t.advance(world, 120)
  t.equal({ ecs.record(world).lifecycle_stage, targets(world, front.second), targets(world, front.first) },
    { nil, { "healthy" }, {} })
end)

-- ---- what is wrong with the load balancer --------------------------------------------------------

local networking = "Service deployment rolled back because of invalid networking configuration"

t.test("rules that cannot shift roll a deployment back, and the reason says what is wrong", function()
  local function reason(spoil)
    local world, front = ecs.staged {}
    spoil(world, front)
    deploy(world, "app:v2")
    return ecs.wait_status(world, "ROLLBACK_SUCCESSFUL", 300).status_reason, front
  end
  local function weigh(world, rule, first, second)
    require("sim.elbv2").weigh(world, rule, {
      { target_group_arn = first[1], weight = first[2] }, { target_group_arn = second[1], weight = second[2] },
    })
  end
  t.equal(reason(function(world, front)
    t.call(world, "elbv2", "delete_rule", { rule_arn = front.test })
  end), networking .. ". One or more rules not found")
  local text, front = reason(function(world, front)
    weigh(world, front.production, { front.first, 50 }, { front.second, 50 })
  end)
  t.equal(text, networking .. ". productionListenerRule " .. front.production .. " should have exactly one target "
    .. "group serving traffic but found 2 target groups which are serving traffic")
  text, front = reason(function(world, front)
    for _, rule in ipairs { front.production, front.test } do
      require("sim.elbv2").weigh(world, rule, { { target_group_arn = front.first, weight = 1 } })
    end
  end)
  t.equal(text, networking .. ": Target group " .. front.second
    .. " is not associated with either productionListenerRule or testListenerRule.")
end)

t.test("what a service with stages may not be", function()
  local world = ecs.empty()
  local front = ecs.shifting_balancer(world)
  ecs.define(world, ecs.image "app:v1")
  local function refused(change, configuration, text)
    local balancers = ecs.shifting(front)
    change(balancers, balancers[1].advanced_configuration)
    configuration.strategy = configuration.strategy or "BLUE_GREEN"
    local failure = t.raises(invalid, function()
      return world:call("ecs", "create_service", {
        cluster = "prod", service_name = "web", task_definition = "web", desired_count = 1, launch_type = "FARGATE",
        network_configuration = ecs.network(world), load_balancers = balancers,
        deployment_configuration = configuration,
      }, t.caller)
    end)
    t.equal(failure.message, text)
  end
  local function nothing() end
  refused(function(balancers) balancers[1].advanced_configuration = nil end, {},
    "advancedConfiguration field is required for all loadBalancers when using a non-ROLLING deployment strategy")
  local listener = "arn:aws:elasticloadbalancing:x:1:listener/app/a/b/c"
  refused(function(_, advanced) advanced.production_listener_rule = listener end, {},
    "productionListenerRule has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: " .. listener)
  refused(function(_, advanced) advanced.test_listener_rule = front.production end, {},
    "The following rules cannot be used as both production and test listener rules: " .. front.production)
  refused(function(_, advanced) advanced.alternate_target_group_arn = front.first end, {},
    "Duplicate targetGroupArn found: " .. front.first)
  refused(nothing, { bake_time_in_minutes = 1441 }, "bakeTimeInMinutes must be between 0 and 1440.")
  refused(nothing, { linear_configuration = { step_percent = 10 } },
    "linearConfiguration is only valid when the deployment strategy is LINEAR.")
  refused(nothing, { strategy = "LINEAR", linear_configuration = { step_percent = 2 } },
    "LINEAR percent must be between 3 and 100.")
  refused(nothing, { strategy = "CANARY", canary_configuration = { canary_percent = 0.25 } },
    "The percentage of CANARY must be a multiple of 0.1.")
  refused(nothing, { lifecycle_hooks = { pause "PRODUCTION_TRAFFIC_SHIFT" } },
    "Invalid lifecycle stage provided for Pause Hook")
  refused(nothing, { lifecycle_hooks = { { target_type = "EMAIL", lifecycle_stages = { "PRE_SCALE_UP" } } } },
    "Invalid targetType. Valid values are: AWS_LAMBDA, PAUSE")
  refused(nothing, { lifecycle_hooks = { gate "BAKE_TIME" } }, "BAKE_TIME is not a valid value for lifecycleStages.")
end)

t.test("the production rule must know both groups when there is none for tests", function()
  local world = ecs.empty()
  local front = ecs.shifting_balancer(world)
  require("sim.elbv2").weigh(world, front.production, { { target_group_arn = front.first, weight = 1 } })
  ecs.define(world, ecs.image "app:v1")
  local balancers = ecs.shifting(front)
  balancers[1].advanced_configuration.test_listener_rule = nil
  t.equal(t.raises(invalid, function()
    return world:call("ecs", "create_service", {
      cluster = "prod", service_name = "web", task_definition = "web", desired_count = 1, launch_type = "FARGATE",
      network_configuration = ecs.network(world), load_balancers = balancers,
      deployment_configuration = { strategy = "BLUE_GREEN" },
    }, t.caller)
  end).message, "For Application LoadBalancer, testListenerRule is required when productionListenerRule is not "
    .. "associated with both targetGroup and alternateTargetGroup")
end)

t.finish()
