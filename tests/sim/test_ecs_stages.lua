--- Deployments with lifecycle stages on their way forward, and what keeps them from beginning.

local ecs = dofile "tests/sim/ecs_stages.lua"
local t = ecs.t

local invalid = "InvalidParameterException"

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

-- ---- the way forward -----------------------------------------------------------------------------

t.test("a blue/green deployment passes its stages in order and shifts all traffic in one step", function()
  local world = ecs.staged {}
  ecs.deploy(world, "app:v2")
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
  ecs.deploy(world, "app:v2")
  ecs.wait_stage(world, "POST_SCALE_UP")
  t.equal({ ecs.targets(world, front.first), ecs.targets(world, front.second) },
    { { "healthy", "healthy", "healthy" }, { "healthy", "healthy", "healthy" } })
  local record = ecs.record(world)
  t.equal({ record.target_service_revision.running_task_count, record.source_service_revisions[1].running_task_count },
    { 3, 3 })
  t.equal({ ecs.weights(world, front, "production"), ecs.weights(world, front, "test") }, { { 100, 0 }, { 100, 0 } })
end)

t.test("tests reach green first, then customers; the listener rules say the same as the revisions", function()
  local world, front = ecs.staged {}
  ecs.deploy(world, "app:v2")
  t.equal(ecs.shares(ecs.wait_stage(world, "POST_TEST_TRAFFIC_SHIFT")), { 0, 100, 100, 0 })
  t.equal({ ecs.weights(world, front, "production"), ecs.weights(world, front, "test") }, { { 100, 0 }, { 0, 100 } })
  t.equal(ecs.shares(ecs.wait_stage(world, "BAKE_TIME")), { 100, 0, 100, 0 })
  t.equal({ ecs.weights(world, front, "production"), ecs.weights(world, front, "test") }, { { 0, 100 }, { 0, 100 } })
end)

t.test("blue runs through the bake time and is stopped after it", function()
  local world, front = ecs.staged { bake = 7 }
  ecs.deploy(world, "app:v2")
  ecs.wait_stage(world, "BAKE_TIME")
  t.advance(world, 6 * 60)
  t.equal({ ecs.record(world).lifecycle_stage, ecs.targets(world, front.first) }, { "BAKE_TIME", { "healthy" } })
  local _, seconds = ecs.wait_status(world, "SUCCESSFUL")
  ecs.within(seconds, 60, 200, "the rest")
  t.equal({ ecs.targets(world, front.second), ecs.service(world).running_count }, { { "healthy" }, 1 })
end)

t.test("the next deployment goes back to the first target group", function()
  local world, front = ecs.staged { bake = 0 }
  ecs.deploy(world, "app:v2")
  ecs.wait_status(world, "SUCCESSFUL")
  ecs.deploy(world, "app:v3")
  ecs.wait_stage(world, "POST_SCALE_UP")
  t.equal({ ecs.targets(world, front.first), ecs.weights(world, front, "production") }, { { "healthy" }, { 0, 100 } })
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
  ecs.deploy(world, "app:v2")
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
  ecs.deploy(world, "app:v2")
  t.equal(ecs.shares(ecs.wait_stage(world, "PRODUCTION_TRAFFIC_SHIFT")), { 0.5, 99.5, 100, 0 })
  t.equal(ecs.weights(world, front, "production"), { 995, 5 })
  t.advance(world, 170)
  t.equal(ecs.weights(world, front, "production"), { 995, 5 })
  ecs.wait_stage(world, "POST_PRODUCTION_TRAFFIC_SHIFT", 60)
  t.equal(ecs.weights(world, front, "production"), { 0, 100 })
end)

t.test("a service without a load balancer passes the stages and shifts nothing", function()
  local world = ecs.staged { plain = true, bake = 1 }
  ecs.deploy(world, "app:v2")
  t.equal(journey(world), {
    "PRE_SCALE_UP -", "SCALE_UP -", "POST_SCALE_UP -", "TEST_TRAFFIC_SHIFT -", "POST_TEST_TRAFFIC_SHIFT -",
    "PRODUCTION_TRAFFIC_SHIFT -", "POST_PRODUCTION_TRAFFIC_SHIFT -", "BAKE_TIME -", "CLEAN_UP -",
  })
end)

t.test("a rolling deployment reports no stage, no weights and no hooks", function()
  local world = ecs.start {}
  ecs.deploy(world, "app:v2")
  t.advance(world, 60)
  local record = ecs.record(world)
  t.equal({ record.lifecycle_stage, record.lifecycle_hook_details,
    record.target_service_revision.requested_production_traffic_weight }, {})
end)

t.test("an ordinary minute's requests follow the production weights, not those for tests", function()
  local world, front = ecs.staged { hooks = { ecs.pause "POST_TEST_TRAFFIC_SHIFT" } }
  ecs.deploy(world, "app:v2")
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

-- ---- what is wrong with the load balancer --------------------------------------------------------

local networking = "Service deployment rolled back because of invalid networking configuration"

t.test("rules that cannot shift roll a deployment back, and the reason says what is wrong", function()
  local function reason(spoil)
    local world, front = ecs.staged {}
    spoil(world, front)
    ecs.deploy(world, "app:v2")
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
    "productionListenerRule has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: "
    .. listener)
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
  refused(nothing, { lifecycle_hooks = { ecs.pause "PRODUCTION_TRAFFIC_SHIFT" } },
    "Invalid lifecycle stage provided for Pause Hook")
  refused(nothing, { lifecycle_hooks = { { target_type = "EMAIL", lifecycle_stages = { "PRE_SCALE_UP" } } } },
    "Invalid targetType. Valid values are: AWS_LAMBDA, PAUSE")
  refused(nothing, { lifecycle_hooks = { ecs.gate "BAKE_TIME" } },
    "BAKE_TIME is not a valid value for lifecycleStages.")
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
