--- Application Auto Scaling over a real simulated service, and the metrics that follow from one.

local ecs = dofile "tests/sim/ecs_world.lua"
local t = ecs.t

local resource = "service/prod/web"

local function call(world, operation, input)
  input.service_namespace = input.service_namespace or "ecs"
  return t.call(world, "application_autoscaling", operation, input)
end

local function fails(world, code, operation, input)
  input.service_namespace = input.service_namespace or "ecs"
  return t.raises(code, function()
    return world:call("application_autoscaling", operation, input, t.caller)
  end)
end

local function named(more)
  more.resource_id, more.scalable_dimension = resource, "ecs:service:DesiredCount"
  return more
end

local function register(world, low, high, more)
  local input = named { min_capacity = low, max_capacity = high }
  for key, value in pairs(more or {}) do
    input[key] = value
  end
  return call(world, "register_scalable_target", input)
end

-- A steady service of `desired` tasks without a load balancer.
local function steady(desired, settings)
  local world = ecs.empty()
  if settings then
    ecs.call(world, "update_cluster_settings", { cluster = "prod", settings = settings })
  end
  local definition = ecs.define(world, ecs.image "app:v1")
  ecs.call(world, "create_service", {
    cluster = "prod", service_name = "web", task_definition = definition, desired_count = desired,
    launch_type = "FARGATE", network_configuration = ecs.network(world),
  })
  t.advance(world, 300)
  return world
end

local function service(world)
  return ecs.call(world, "describe_services", { cluster = "prod", services = { "web" } }).services[1]
end

local function policy(world, target, more)
  local config = { target_value = target, predefined_metric_specification = { predefined_metric_type = "ECSServiceAverageCPUUtilization" } }
  for key, value in pairs(more or {}) do
    config[key] = value
  end
  return call(world, "put_scaling_policy", named {
    policy_name = "cpu", policy_type = "TargetTrackingScaling", target_tracking_scaling_policy_configuration = config,
  })
end

local function activities(world, all)
  return call(world, "describe_scaling_activities",
    { resource_id = resource, include_not_scaled_activities = all }).scaling_activities
end

local function load(world, cpu, tasks)
  require("sim.faults").set(world, "load", "web", { cpu = cpu, memory = 30, tasks = tasks })
end

-- ---- metrics of a service ------------------------------------------------------------------------

local function sum_of(world, namespace, name, statistic)
  local now = math.floor(world:now())
  local points = t.call(world, "cloudwatch", "get_metric_statistics", {
    namespace = namespace, metric_name = name, start_time = now - 180, end_time = now, period = 60,
    statistics = { statistic },
    dimensions = { { name = "ClusterName", value = "prod" }, { name = "ServiceName", value = "web" } },
  }).datapoints
  return points[1] and points[1][({ Average = "average", SampleCount = "sample_count" })[statistic]]
end

t.test("a service that runs is measured each minute", function()
  local world = steady(2)
  load(world, 40)
  t.advance(world, 180)
  t.equal(sum_of(world, "AWS/ECS", "CPUUtilization", "Average"), 40.0)
  t.equal(sum_of(world, "AWS/ECS", "MemoryUtilization", "Average"), 30.0)
  t.equal(sum_of(world, "AWS/ECS", "CPUUtilization", "SampleCount"), 2.0)
  t.equal(sum_of(world, "ECS/ContainerInsights", "RunningTaskCount", "Average"), nil)
end)

t.test("container insights count tasks only where they are on", function()
  local world = steady(2, { { name = "containerInsights", value = "enabled" } })
  t.advance(world, 180)
  t.equal(sum_of(world, "ECS/ContainerInsights", "RunningTaskCount", "Average"), 2.0)
  t.equal(sum_of(world, "ECS/ContainerInsights", "DesiredTaskCount", "Average"), 2.0)
  t.equal(sum_of(world, "ECS/ContainerInsights", "CpuReserved", "Average"), 512.0)
  t.equal(sum_of(world, "ECS/ContainerInsights", "DeploymentCount", "Average"), 1.0)
end)

t.test("without tasks there is no usage", function()
  local world = steady(0)
  t.equal(sum_of(world, "AWS/ECS", "CPUUtilization", "Average"), nil)
end)

-- ---- targets -------------------------------------------------------------------------------------

t.test("a target is registered, described and taken away", function()
  local world = steady(1)
  local arn = register(world, 1, 4).scalable_target_arn
  t.contains(arn, "arn:aws:application-autoscaling:eu-west-1:123456789012:scalable-target/")
  t.equal(register(world, 1, 5).scalable_target_arn, arn)
  local target = call(world, "describe_scalable_targets", { resource_ids = { resource } }).scalable_targets[1]
  t.equal({ target.min_capacity, target.max_capacity, target.resource_id }, { 1, 5, resource })
  t.equal(target.suspended_state.dynamic_scaling_in_suspended, false)
  t.equal(call(world, "describe_scalable_targets", { resource_ids = { "service/a/b" } }).scalable_targets, {})
  call(world, "deregister_scalable_target", named {})
  t.equal(call(world, "describe_scalable_targets", {}).scalable_targets, {})
  fails(world, "ObjectNotFoundException", "deregister_scalable_target", named {})
end)

t.test("targets that cannot be are refused", function()
  local world = steady(1)
  fails(world, "ValidationException", "register_scalable_target", named { min_capacity = 1 })
  fails(world, "ValidationException", "register_scalable_target", named { min_capacity = 3, max_capacity = 2 })
  fails(world, "ValidationException", "register_scalable_target", named { min_capacity = 1, max_capacity = 2, service_namespace = "dynamodb" })
  fails(world, "ValidationException", "register_scalable_target",
    { resource_id = "service/prod/none", scalable_dimension = "ecs:service:DesiredCount", min_capacity = 1, max_capacity = 2 })
end)

t.test("a minimum above the desired count raises it, and the activity says why", function()
  local world = steady(1)
  register(world, 2, 4)
  t.advance(world, 10)
  t.equal(service(world).desired_count, 2)
  local activity = activities(world)[1]
  t.equal({ activity.description, activity.cause, activity.status_code, activity.status_message }, {
    "Setting desired count to 2.", "minimum capacity was set to 2", "InProgress",
    "Successfully set desired count to 2. Waiting for change to be fulfilled by ecs.",
  })
  t.advance(world, 40)
  activity = activities(world)[1]
  t.equal({ activity.status_code, activity.status_message },
    { "Successful", "Successfully set desired count to 2. Change successfully fulfilled by ecs." })
  t.near(activity.end_time - activity.start_time, 32, 2)
end)

t.test("a desired count under the minimum by hand is left alone", function()
  local world = steady(2)
  register(world, 2, 4)
  policy(world, 50)
  t.advance(world, 60)
  ecs.call(world, "update_service", { cluster = "prod", service = "web", desired_count = 1 })
  t.advance(world, 600)
  t.equal(service(world).desired_count, 1)
end)

-- ---- policies ------------------------------------------------------------------------------------

t.test("a target tracking policy makes its two alarms", function()
  local world = steady(1)
  register(world, 1, 4)
  local made = policy(world, 50)
  t.contains(made.policy_arn, "resource/ecs/service/prod/web:policyName/cpu")
  t.contains(made.alarms[1].alarm_name, "TargetTracking-service/prod/web-AlarmHigh-")
  t.contains(made.alarms[2].alarm_name, "TargetTracking-service/prod/web-AlarmLow-")
  local alarms = t.call(world, "cloudwatch", "describe_alarms", { alarm_name_prefix = "TargetTracking-" }).metric_alarms
  t.equal({ alarms[1].threshold, alarms[1].evaluation_periods, alarms[1].comparison_operator },
    { 50.0, 3, "GreaterThanThreshold" })
  t.equal({ alarms[2].threshold, alarms[2].evaluation_periods, alarms[2].comparison_operator },
    { 45.0, 15, "LessThanThreshold" })
  t.equal(alarms[1].alarm_actions, { made.policy_arn })
  t.equal(#policy(world, 60, { disable_scale_in = true }).alarms, 1)
  local shown = call(world, "describe_scaling_policies", { resource_id = resource }).scaling_policies
  t.equal({ #shown, shown[1].policy_arn, shown[1].target_tracking_scaling_policy_configuration.target_value },
    { 1, made.policy_arn, 60 })
  call(world, "delete_scaling_policy", named { policy_name = "cpu" })
  t.equal(t.call(world, "cloudwatch", "describe_alarms").metric_alarms, {})
  fails(world, "ObjectNotFoundException", "delete_scaling_policy", named { policy_name = "cpu" })
end)

t.test("policies that cannot be are refused", function()
  local world = steady(1)
  local step = named { policy_name = "s", policy_type = "StepScaling" }
  fails(world, "ObjectNotFoundException", "put_scaling_policy", step)
  register(world, 1, 4)
  t.contains(fails(world, "ValidationException", "put_scaling_policy", step).message, "StepScaling")
  for _, config in ipairs {
    { target_value = 1 },
    { target_value = 1, predefined_metric_specification = { predefined_metric_type = "DynamoDBReadCapacityUtilization" } },
    { target_value = 1, predefined_metric_specification = { predefined_metric_type = "ALBRequestCountPerTarget" } },
    { target_value = 1, customized_metric_specification = { metrics = {} } },
  } do
    fails(world, "ValidationException", "put_scaling_policy", named {
      policy_name = "p", policy_type = "TargetTrackingScaling", target_tracking_scaling_policy_configuration = config,
    })
  end
end)

t.test("load above the target scales out in proportion, up to the maximum", function()
  local world = steady(2)
  register(world, 2, 5)
  local high = policy(world, 50).alarms[1].alarm_name
  load(world, 90, 2)
  t.advance(world, 5 * 60)
  t.equal(service(world).desired_count, 4)
  t.equal(#activities(world), 1)
  t.equal(activities(world)[1].cause, ("monitor alarm %s in state ALARM triggered policy cpu"):format(high))
  t.advance(world, 10 * 60)
  t.equal({ service(world).desired_count, service(world).running_count }, { 4, 4 })
  load(world, 95, 4)
  t.advance(world, 10 * 60)
  t.equal(service(world).desired_count, 5)
  t.advance(world, 10 * 60)
  local refused = activities(world, true)[1]
  t.equal(refused.not_scaled_reasons, { { code = "AlreadyAtMaxCapacity", max_capacity = 5, current_capacity = 5 } })
  t.equal(#activities(world), 2)
end)

t.test("load below the target scales in after a quarter of an hour, down to the minimum", function()
  local world = steady(4)
  register(world, 1, 5)
  policy(world, 50)
  load(world, 20, 4)
  t.advance(world, 10 * 60)
  t.equal(service(world).desired_count, 4)
  t.advance(world, 10 * 60)
  t.equal(service(world).desired_count, 2)
  load(world, 5, 2)
  t.advance(world, 30 * 60)
  t.equal(service(world).desired_count, 1)
  t.equal(activities(world, true)[1].not_scaled_reasons[1].code, "AlreadyAtMinCapacity")
end)

t.test("scaling in rests while a deployment runs", function()
  local world = steady(4)
  register(world, 1, 5)
  policy(world, 50)
  load(world, 20, 4)
  t.advance(world, 7 * 60)
  require("sim.faults").set(world, "image_missing", "app:v2", true)
  ecs.call(world, "update_service", {
    cluster = "prod", service = "web", task_definition = ecs.define(world, ecs.image "app:v2"),
  })
  t.advance(world, 15 * 60)
  t.equal(require("sim.ecs").deploying(world, "prod", "web"), true)
  t.equal(service(world).desired_count, 4)
end)

t.test("a suspended target is left as it is", function()
  local world = steady(2)
  register(world, 1, 5, { suspended_state = { dynamic_scaling_out_suspended = true } })
  policy(world, 50)
  load(world, 90, 2)
  t.advance(world, 10 * 60)
  t.equal(service(world).desired_count, 2)
  register(world, 1, 5, { suspended_state = { dynamic_scaling_out_suspended = false } })
  t.advance(world, 2 * 60)
  t.equal(service(world).desired_count, 4)
end)

-- ---- scheduled actions ---------------------------------------------------------------------------

t.test("a scheduled action changes the bounds when it is due", function()
  local world = steady(1)
  register(world, 1, 4)
  call(world, "put_scheduled_action", named {
    scheduled_action_name = "more", schedule = "at(2026-01-01T00:20:00)", scalable_target_action = { min_capacity = 3 },
  })
  t.advance(world, 10 * 60)
  t.equal(service(world).desired_count, 1)
  t.advance(world, 10 * 60)
  t.equal(service(world).desired_count, 3)
  t.equal(call(world, "describe_scheduled_actions", {}).scheduled_actions[1].scheduled_action_name, "more")
  call(world, "delete_scheduled_action", named { scheduled_action_name = "more" })
  fails(world, "ObjectNotFoundException", "delete_scheduled_action", named { scheduled_action_name = "more" })
  t.contains(fails(world, "ValidationException", "put_scheduled_action", named {
    scheduled_action_name = "x", schedule = "cron(0 8 * * ? *)", scalable_target_action = { min_capacity = 3 },
  }).message, "cron(0 8 * * ? *)")
end)

t.test("rates come due again and again", function()
  local schedule = require "sim.application_autoscaling.schedule"
  local action = { schedule = "rate(5 minutes)", created = 0, seen = 0 }
  t.equal(schedule.is_due(action, 299), false)
  t.equal(schedule.is_due(action, 300), true)
  action.seen = 300
  t.equal(schedule.is_due(action, 599), false)
  t.equal(schedule.is_due(action, 600), true)
  action.last = 500
  t.equal(schedule.is_due(action, 600), false)
  t.equal({ schedule.is_known "rate(0 minutes)", schedule.is_known("rate(1 day)", "Europe/Berlin") }, { false, false })
end)

t.test("the same world gives the same measurements", function()
  local function run()
    local world = steady(2)
    register(world, 2, 5)
    policy(world, 50)
    load(world, 90, 2)
    t.advance(world, 1200)
    return t.show(world:save())
  end
  t.equal(run() == run(), true)
end)

t.finish()
