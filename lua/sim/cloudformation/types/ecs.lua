--- Resources of ECS: clusters, task definitions, and services, which are done when they are steady.

local ask = require "sim.cloudformation.ask"
local facts = require "sim.facts.cloudformation"
local properties = require "sim.cloudformation.properties"

local call = ask.call
local types = {}

-- ---- clusters ------------------------------------------------------------------------------------

local cluster = { replace = { ClusterName = true } }
types["AWS::ECS::Cluster"] = cluster

local function cluster_input(given)
  local input = properties.input(given, { ClusterSettings = "settings" })
  return properties.pick(input, {
    "settings", "configuration", "capacity_providers", "default_capacity_provider_strategy",
    "service_connect_defaults", "tags",
  })
end

function cluster.create(world, given, about)
  local input = cluster_input(given)
  input.cluster_name = given.ClusterName or about.name(255)
  local made = call(world, "ecs", "create_cluster", input).cluster
  return made.cluster_name, { Arn = made.cluster_arn }
end

function cluster.update(world, resource, given)
  local input = cluster_input(given)
  input.cluster = resource.physical
  call(world, "ecs", "update_cluster", properties.pick(input, {
    "cluster", "settings", "configuration", "service_connect_defaults",
  }))
  if input.capacity_providers then
    call(world, "ecs", "put_cluster_capacity_providers", {
      cluster = input.cluster, capacity_providers = input.capacity_providers,
      default_capacity_provider_strategy = input.default_capacity_provider_strategy or {},
    })
  end
end

function cluster.delete(world, resource)
  ask.remove(world, "ecs", "delete_cluster", { cluster = resource.physical })
end

-- ---- task definitions ----------------------------------------------------------------------------

local definition = { replace = "all", keep = { Tags = true }, required = { "ContainerDefinitions" } }
types["AWS::ECS::TaskDefinition"] = definition

local function as_text(value)
  return value ~= nil and tostring(math.type(value) == "float" and math.tointeger(value) or value) or nil
end

local function as_number(value)
  local number = tonumber(value)
  return number and math.tointeger(number) or value
end

function definition.create(world, given, about)
  local input = properties.input(given)
  input.family = given.Family or about.name(255)
  input.cpu, input.memory = as_text(given.Cpu), as_text(given.Memory)
  for _, container in ipairs(input.container_definitions) do
    container.cpu, container.memory = as_number(container.cpu), as_number(container.memory)
    container.essential = container.essential ~= false
  end
  local made = call(world, "ecs", "register_task_definition", input).task_definition
  return made.task_definition_arn, { TaskDefinitionArn = made.task_definition_arn }
end

function definition.update() end -- only tags change in place

function definition.delete(world, resource)
  ask.remove(world, "ecs", "deregister_task_definition", { task_definition = resource.physical })
end

-- ---- services ------------------------------------------------------------------------------------

local service = {
  replace = { Cluster = true, LaunchType = true, ServiceName = true, SchedulingStrategy = true, Role = true },
}
types["AWS::ECS::Service"] = service

local created = {
  "task_definition", "desired_count", "launch_type", "capacity_provider_strategy", "platform_version",
  "deployment_configuration", "network_configuration", "load_balancers", "service_registries",
  "health_check_grace_period_seconds", "scheduling_strategy", "enable_execute_command", "enable_ecs_managed_tags",
  "propagate_tags", "placement_constraints", "placement_strategy", "deployment_controller", "tags",
  "service_connect_configuration", "volume_configurations", "availability_zone_rebalancing",
}
local updated = {
  "task_definition", "desired_count", "capacity_provider_strategy", "platform_version", "deployment_configuration",
  "network_configuration", "load_balancers", "service_registries", "health_check_grace_period_seconds",
  "enable_execute_command", "enable_ecs_managed_tags", "propagate_tags", "service_connect_configuration",
  "volume_configurations", "availability_zone_rebalancing",
}

local function service_input(given, names)
  return properties.pick(properties.input(given, {
    PlacementStrategies = "placement_strategy",
  }), names)
end

local function cluster_of(resource)
  return resource.physical:match(":service/([^/]+)/")
end

local function describe(world, resource)
  local answer = call(world, "ecs", "describe_services", {
    cluster = cluster_of(resource), services = { resource.physical },
  })
  return answer.services[1]
end

function service.create(world, given, about)
  local input = service_input(given, created)
  input.cluster, input.service_name = given.Cluster, given.ServiceName or about.name(255)
  if input.desired_count == nil then
    input.desired_count = 1 -- as CloudFormation does
  end
  local made = call(world, "ecs", "create_service", input).service
  return made.service_arn, { ServiceArn = made.service_arn, Name = made.service_name },
    { deployment = made.current_service_deployment }
end

function service.update(world, resource, given)
  local input = service_input(given, updated)
  input.cluster, input.service = cluster_of(resource), resource.physical
  local before = describe(world, resource)
  local after = call(world, "ecs", "update_service", input).service
  local current = after.current_service_deployment
  -- When nothing new is deployed, an earlier deployment's failure is none of this change's.
  return { deployment = not (before and before.current_service_deployment == current) and current or nil }
end

-- Fails when the deployment that this change began has been given up by ECS.
local function check_deployment(world, arn)
  local answer = arn and call(world, "ecs", "describe_service_deployments", { service_deployment_arns = { arn } })
  local found = answer and answer.service_deployments[1]
  if not found then
    return
  end
  local back = found.status:find("^ROLLBACK") ~= nil
  if found.deployment_circuit_breaker and found.deployment_circuit_breaker.status == "TRIGGERED" then
    ask.fail(facts.reasons.breaker, "GeneralServiceException")
  elseif found.alarms and found.alarms.status == "TRIGGERED" then
    ask.fail(facts.reasons.alarm, "GeneralServiceException")
  elseif back then
    ask.fail(found.status_reason or found.status, "GeneralServiceException")
  end
end

--- Whether the service is steady, on what it was told to run.
function service.ready(world, resource, note)
  check_deployment(world, note and note.deployment)
  local found = describe(world, resource)
  if not found or found.status ~= "ACTIVE" then
    ask.fail(("Resource of type 'AWS::ECS::Service' with identifier '%s' was not found."):format(resource.physical),
      "NotFound")
  end
  local primary = found.deployments[1]
  return #found.deployments == 1 and found.running_count == found.desired_count and found.pending_count == 0
    and primary ~= nil and primary.rollout_state ~= "IN_PROGRESS"
end

function service.delete(world, resource)
  local found = describe(world, resource)
  if found and found.status == "ACTIVE" then
    call(world, "ecs", "delete_service", {
      cluster = cluster_of(resource), service = resource.physical, force = true,
    })
  end
end

--- Whether a deleted service has stopped its tasks.
function service.gone(world, resource)
  local found = describe(world, resource)
  return not found or found.status == "INACTIVE"
end

return types
