--- Target tracking policies: their alarms, and what they ask for.

local facts = require "sim.facts.application_autoscaling"
local store = require "sim.application_autoscaling.store"
local util = require "sim.util"

local policies, operations = {}, {}

-- ---- the metric of a policy ----------------------------------------------------------------------

local usage = {
  ECSServiceAverageCPUUtilization = "CPUUtilization", ECSServiceAverageMemoryUtilization = "MemoryUtilization",
}

local function predefined(world, resource, specification)
  local kind = specification.predefined_metric_type
  if usage[kind] then
    local cluster, service = store.service_of(resource)
    return { namespace = "AWS/ECS", name = usage[kind], statistic = "Average", dimensions = {
      { name = "ClusterName", value = cluster }, { name = "ServiceName", value = service },
    } }
  elseif kind ~= "ALBRequestCountPerTarget" then
    world:fail("ValidationException", facts.texts.policy_predefined:format(kind))
  end
  local balancer, group = (specification.resource_label or ""):match("^(app/[^/]+/%x+)/(targetgroup/[^/]+/%x+)$")
  if not balancer then
    world:fail("ValidationException", facts.texts.policy_label)
  end
  return { namespace = "AWS/ApplicationELB", name = "RequestCountPerTarget", statistic = "Sum", dimensions = {
    { name = "LoadBalancer", value = balancer }, { name = "TargetGroup", value = group },
  } }
end

--- The metric that a target tracking configuration watches; one that is not simulated fails.
function policies.metric_of(world, resource, config)
  local ready, own = config.predefined_metric_specification, config.customized_metric_specification
  if (ready ~= nil) == (own ~= nil) then
    world:fail("ValidationException", facts.texts.policy_metric)
  elseif ready then
    return predefined(world, resource, ready)
  elseif own.metrics or not (own.namespace and own.metric_name and own.statistic) then
    world:fail("ValidationException", facts.texts.policy_math)
  end
  return {
    namespace = own.namespace, name = own.metric_name, statistic = own.statistic, unit = own.unit,
    dimensions = util.copy(own.dimensions or {}),
  }
end

-- ---- its alarms ----------------------------------------------------------------------------------

local function put_alarm(world, policy, name, high)
  local target = policy.config.target_value
  require("sim.cloudwatch").put_alarm(world, {
    alarm_name = name, namespace = policy.metric.namespace, metric_name = policy.metric.name,
    dimensions = policy.metric.dimensions, statistic = policy.metric.statistic, unit = policy.metric.unit,
    period = facts.alarms.period, threshold = high and target or target * facts.alarms.low_part,
    evaluation_periods = high and facts.alarms.high_periods or facts.alarms.low_periods,
    comparison_operator = high and "GreaterThanThreshold" or "LessThanThreshold", alarm_actions = { policy.arn },
    alarm_description = facts.texts.alarm_description:format(policy.arn),
  })
end

local function make_alarms(world, policy)
  put_alarm(world, policy, policy.high, true)
  if policy.config.disable_scale_in then
    require("sim.cloudwatch").delete_alarm(world, policy.low)
  else
    put_alarm(world, policy, policy.low, false)
  end
end

local function shown_alarms(world, policy)
  local cloudwatch, list = require "sim.cloudwatch", {}
  for _, name in ipairs { policy.high, not policy.config.disable_scale_in and policy.low or nil } do
    list[#list + 1] = { alarm_name = name, alarm_arn = cloudwatch.alarm_arn(world, name) }
  end
  return list
end

-- ---- keeping policies ----------------------------------------------------------------------------

local function find(world, resource, name)
  for index, policy in ipairs(world:state("application_autoscaling").policies) do
    if policy.resource == resource and policy.name == name then
      return policy, index
    end
  end
end

local function new_policy(world, resource, name)
  local prefix = ("TargetTracking-%s-Alarm"):format(resource)
  return {
    resource = resource, name = name, created = world:now(),
    arn = ("arn:aws:autoscaling:%s:%s:scalingPolicy:%s:resource/ecs/%s:policyName/%s"):format(
      world.data.region, world.data.account, world:uuid(), resource, name),
    high = prefix .. "High-" .. world:uuid(), low = prefix .. "Low-" .. world:uuid(),
  }
end

function operations.put_scaling_policy(world, input)
  local target = store.required(world, input, "target_missing")
  local known, index = find(world, target.resource, input.policy_name)
  local kind = input.policy_type or (known and "TargetTrackingScaling") or "StepScaling"
  local config = input.target_tracking_scaling_policy_configuration
  if kind ~= "TargetTrackingScaling" then
    world:fail("ValidationException", facts.texts.policy_type:format(kind))
  elseif not config then
    world:fail("ValidationException", facts.texts.policy_config)
  end
  local metric = policies.metric_of(world, target.resource, config)
  local policy = known or new_policy(world, target.resource, input.policy_name)
  policy.config, policy.metric = util.copy(config), metric
  local list = world:state("application_autoscaling").policies
  list[index or #list + 1] = policy
  make_alarms(world, policy)
  return { policy_arn = policy.arn, alarms = shown_alarms(world, policy) }
end

local function remove(world, index)
  local policy = table.remove(world:state("application_autoscaling").policies, index)
  local cloudwatch = require "sim.cloudwatch"
  cloudwatch.delete_alarm(world, policy.high)
  cloudwatch.delete_alarm(world, policy.low)
end

function operations.delete_scaling_policy(world, input)
  store.check_kind(world, input)
  local _, index = find(world, input.resource_id, input.policy_name)
  if not index then
    world:fail("ObjectNotFoundException", facts.texts.policy_missing:format(input.resource_id, input.policy_name))
  end
  remove(world, index)
end

--- Takes away all policies of a resource, and their alarms.
function policies.forget(world, resource)
  local list = world:state("application_autoscaling").policies
  for index = #list, 1, -1 do
    if list[index].resource == resource then
      remove(world, index)
    end
  end
end

function operations.describe_scaling_policies(world, input)
  local list, names = {}, input.policy_names
  for _, policy in ipairs(world:state("application_autoscaling").policies) do
    if input.service_namespace == "ecs" and (not input.resource_id or policy.resource == input.resource_id)
      and (not names or not names[1] or util.holds(names, policy.name)) then
      list[#list + 1] = store.named(policy.resource, {
        policy_arn = policy.arn, policy_name = policy.name, policy_type = "TargetTrackingScaling",
        target_tracking_scaling_policy_configuration = util.copy(policy.config),
        alarms = shown_alarms(world, policy), creation_time = policy.created,
      })
    end
  end
  local page, token = world:page(list, input.next_token, input.max_results or 50, "InvalidNextTokenException")
  return { scaling_policies = page, next_token = token }
end

-- ---- what they ask for ---------------------------------------------------------------------------

--- The policies of a resource.
function policies.of(world, resource)
  local list = {}
  for _, policy in ipairs(world:state("application_autoscaling").policies) do
    if policy.resource == resource then
      list[#list + 1] = policy
    end
  end
  return list
end

--- The count that would bring a policy's metric to its target, or nil without data.
function policies.wanted(world, policy, current)
  local metric = policy.metric
  local seconds = facts.alarms.period * facts.alarms.high_periods
  local value = require("sim.cloudwatch").latest(world, metric.namespace, metric.name, metric.dimensions,
    metric.statistic, seconds)
  return value and math.ceil(current * value / policy.config.target_value)
end

policies.operations = operations
return policies
