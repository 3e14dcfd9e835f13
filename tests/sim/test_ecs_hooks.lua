--- Lifecycle hooks of deployments: pauses and functions.

local ecs = dofile "tests/sim/ecs_stages.lua"
local faults = require "sim.faults"
local t = ecs.t

local invalid = "InvalidParameterException"

t.test("a pause hook holds its stage until somebody continues", function()
  local world = ecs.staged { hooks = { ecs.pause "POST_TEST_TRAFFIC_SHIFT" } }
  ecs.deploy(world, "app:v2")
  local record = ecs.wait_stage(world, "POST_TEST_TRAFFIC_SHIFT")
  t.advance(world, 3600)
  local hook = ecs.record(world).lifecycle_hook_details[1]
  t.truthy(hook.hook_id:match("^ecs%-pause%-[%w_-]+$"), "hook id " .. hook.hook_id)
  t.equal({ ecs.record(world).lifecycle_stage, hook.status, hook.target_type, hook.timeout_action },
    { "POST_TEST_TRAFFIC_SHIFT", "AWAITING_ACTION", "PAUSE", "ROLLBACK" })
  t.near(hook.expires_at - record.updated_at, 24 * 3600, 1)
  t.equal(ecs.answer(world).output, { service_deployment_arn = record.service_deployment_arn })
  t.equal(ecs.record(world).lifecycle_hook_details[1].status, "SUCCEEDED")
  ecs.wait_status(world, "SUCCESSFUL")
end)

t.test("a pause answered with ROLLBACK goes back, and no customer has seen green", function()
  local world, front = ecs.staged { hooks = { ecs.pause "POST_TEST_TRAFFIC_SHIFT" } }
  local before = ecs.service(world).task_definition
  ecs.deploy(world, "app:v2")
  ecs.wait_stage(world, "POST_TEST_TRAFFIC_SHIFT")
  ecs.answer(world, "ROLLBACK")
  t.equal({ ecs.record(world).status, ecs.record(world).lifecycle_hook_details[1].status },
    { "ROLLBACK_REQUESTED", "FAILED" })
  local record = ecs.wait_status(world, "ROLLBACK_SUCCESSFUL")
  t.equal({ record.target_service_revision.requested_production_traffic_weight, ecs.service(world).task_definition },
    { 0, before })
  t.equal({ ecs.weights(world, front, "production"), ecs.weights(world, front, "test") }, { { 100, 0 }, { 100, 0 } })
end)

t.test("a pause that nobody answers times out, and goes back or on as it says", function()
  local world = ecs.staged { hooks = { ecs.pause("PRE_SCALE_UP", { timeout_in_minutes = 10 }) } }
  ecs.deploy(world, "app:v2")
  local record, seconds = ecs.wait_status(world, "ROLLBACK_SUCCESSFUL")
  ecs.within(seconds, 600, 720, "the time")
  t.equal({ record.status_reason, record.lifecycle_hook_details[1].status },
    { "Service deployment rolled back because PRE_SCALE_UP pause hook timed out.", "TIMED_OUT" })
  world = ecs.staged { hooks = { ecs.pause("PRE_SCALE_UP", { timeout_in_minutes = 10, action = "CONTINUE" }) } }
  ecs.deploy(world, "app:v2")
  ecs.wait_status(world, "SUCCESSFUL")
end)

t.test("what cannot be continued is refused in the words of ECS", function()
  local world = ecs.staged { hooks = { ecs.pause "POST_SCALE_UP" }, bake = 0 }
  ecs.deploy(world, "app:v2")
  ecs.wait_stage(world, "POST_SCALE_UP")
  local function refused(action, id, text)
    t.equal(t.raises(invalid, function() return ecs.answer(world, action, id) end).message, text)
  end
  local unknown = "Provided hookId is either completed, unavailable, or not associated with the given Resource ARN"
  refused("CONTINUE", "h1", "Invalid hookId: hookId must follow the format: ecs-{hookType}-{id}")
  refused("CONTINUE", "ecs-pause-none", unknown)
  refused("STOP", nil, "STOP is not a valid value for action.")
  local id = ecs.record(world).lifecycle_hook_details[1].hook_id
  ecs.answer(world, "CONTINUE")
  refused("CONTINUE", id, unknown)
  ecs.wait_status(world, "SUCCESSFUL")
  refused("CONTINUE", id, "Continuing a service deployment is not allowed for service deployment in terminal states.")
end)

t.test("a function answers well unless the scenario says otherwise", function()
  local world = ecs.staged { hooks = { ecs.gate "POST_SCALE_UP" } }
  ecs.deploy(world, "app:v2")
  ecs.wait_stage(world, "POST_SCALE_UP")
  local hook = ecs.record(world).lifecycle_hook_details[1]
  t.equal({ hook.target_type, hook.target_arn, hook.status }, { "AWS_LAMBDA", ecs.gate_arn, "IN_PROGRESS" })
  ecs.wait_status(world, "SUCCESSFUL")
end)

t.test("a function that says FAILED rolls the deployment back, and the reason names stage and function", function()
  for _, key in ipairs { "gate", "POST_SCALE_UP" } do
    local world = ecs.staged { hooks = { ecs.gate "POST_SCALE_UP" } }
    faults.set(world, "hook", key, { result = "FAILED" })
    ecs.deploy(world, "app:v2")
    local record = ecs.wait_status(world, "ROLLBACK_SUCCESSFUL")
    local reason = "Service deployment rolled back because POST_SCALE_UP lifecycle hook(s) failed. "
      .. "Lifecycle hook target " .. ecs.gate_arn .. " returned FAILED status."
    t.equal({ record.status_reason, record.rollback.reason, record.lifecycle_hook_details[1].status },
      { reason, reason, "FAILED" })
    t.truthy(ecs.holds_event(world, "service web deployment failed: " .. reason), "the event")
  end
end)

t.test("a function may be in progress for a while: it is asked again every thirty seconds", function()
  local world = ecs.staged { hooks = { ecs.gate "POST_SCALE_UP" } }
  faults.set(world, "hook", "gate", { result = "SUCCEEDED", after = 100 })
  ecs.deploy(world, "app:v2")
  ecs.wait_stage(world, "POST_SCALE_UP")
  local _, seconds = ecs.wait_stage(world, "TEST_TRAFFIC_SHIFT")
  ecs.within(seconds, 100, 140, "the wait")
end)

t.test("hooks before a production shift come again at every step, each with a new id", function()
  local world = ecs.staged {
    strategy = "LINEAR", linear = { step_percent = 50, step_bake_time_in_minutes = 0 },
    hooks = { ecs.pause "PRE_PRODUCTION_TRAFFIC_SHIFT" },
  }
  ecs.deploy(world, "app:v2")
  ecs.wait_stage(world, "PRE_PRODUCTION_TRAFFIC_SHIFT")
  local first = ecs.record(world).lifecycle_hook_details[1].hook_id
  t.equal(ecs.record(world).target_service_revision.requested_production_traffic_weight, 0)
  ecs.answer(world)
  ecs.wait_stage(world, "PRODUCTION_TRAFFIC_SHIFT")
  ecs.wait_stage(world, "PRE_PRODUCTION_TRAFFIC_SHIFT")
  local second = ecs.record(world).lifecycle_hook_details[1].hook_id
  t.equal({ ecs.record(world).target_service_revision.requested_production_traffic_weight, first == second },
    { 50, false })
  ecs.answer(world)
  ecs.wait_status(world, "SUCCESSFUL")
end)

t.test("both hooks of a stage have to be answered", function()
  local world = ecs.staged { hooks = { ecs.pause "POST_SCALE_UP", ecs.gate "POST_SCALE_UP" } }
  ecs.deploy(world, "app:v2")
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
    deployment_configuration = { strategy = "BLUE_GREEN", lifecycle_hooks = { ecs.gate "PRE_SCALE_UP" } },
  })
  local record = ecs.wait_status(world, "ROLLBACK_FAILED", 120)
  t.equal(record.status_reason, "No rollback candidate was found to run the rollback.")
  t.truthy(ecs.holds_event(world, "PRE_SCALE_UP lifecycle hook(s) failed"), "the event says why")
  t.equal(ecs.service(world).running_count, 0)
end)

t.finish()
