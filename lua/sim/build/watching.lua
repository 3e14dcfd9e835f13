--- What watches the service of a scenario: auto scaling and alarms. `call` does an operation that must succeed.

local util = require "sim.util"

local watching = {}

--- Auto scaling by CPU, between two counts.
function watching.add_scaling(world, call, args)
  local resource = ("service/%s/%s"):format(args.cluster, args.name)
  local target = { service_namespace = "ecs", resource_id = resource, scalable_dimension = "ecs:service:DesiredCount" }
  local limits = util.copy(target)
  limits.min_capacity, limits.max_capacity = args.autoscaling.min or 1, args.autoscaling.max or 3
  call(world, "application_autoscaling", "register_scalable_target", limits)
  local policy = util.copy(target)
  policy.policy_name, policy.policy_type = args.name .. "-cpu", "TargetTrackingScaling"
  policy.target_tracking_scaling_policy_configuration = {
    target_value = args.autoscaling.cpu or 70,
    predefined_metric_specification = { predefined_metric_type = "ECSServiceAverageCPUUtilization" },
  }
  call(world, "application_autoscaling", "put_scaling_policy", policy)
end

local function dimensions(map)
  local out = {}
  for name, value in util.sorted_pairs(map) do
    out[#out + 1] = { name = name, value = value }
  end
  return out
end

local function put_alarm(world, call, name, alarm)
  alarm.alarm_name, alarm.treat_missing_data = name, alarm.treat_missing_data or "notBreaching"
  call(world, "cloudwatch", "put_metric_alarm", alarm)
end

--- The five alarms of the deployment guide.
function watching.add_alarms(world, call, args, front)
  local service = dimensions { ClusterName = args.cluster, ServiceName = args.name }
  local function watch(suffix, metric, threshold, periods, comparison, namespace, statistic)
    put_alarm(world, call, args.name .. suffix, {
      namespace = namespace or "AWS/ECS", metric_name = metric, dimensions = service,
      statistic = statistic or "Average", period = 60, evaluation_periods = periods, threshold = threshold,
      comparison_operator = comparison or "GreaterThanThreshold",
    })
  end
  watch("-high-cpu", "CPUUtilization", 80, 10)
  watch("-high-memory", "MemoryUtilization", 85, 10)
  watch("-no-running-tasks", "RunningTaskCount", 1, 2, "LessThanThreshold", "ECS/ContainerInsights", "Minimum")
  if not front then
    return
  end
  local balancer = front.balancer.load_balancer_arn:match(":loadbalancer/(.*)$")
  local group = front.group:match(":(targetgroup/.*)$")
  put_alarm(world, call, args.name .. "-high-error-rate", {
    namespace = "AWS/ApplicationELB", metric_name = "HTTPCode_Target_5XX_Count", statistic = "Sum", period = 300,
    dimensions = dimensions { LoadBalancer = balancer }, evaluation_periods = 2, threshold = 10,
    comparison_operator = "GreaterThanThreshold",
  })
  put_alarm(world, call, args.name .. "-unhealthy-targets", {
    namespace = "AWS/ApplicationELB", metric_name = "UnHealthyHostCount", statistic = "Average", period = 60,
    dimensions = dimensions { LoadBalancer = balancer, TargetGroup = group }, evaluation_periods = 2, threshold = 1,
    comparison_operator = "GreaterThanOrEqualToThreshold",
  })
end

return watching
