--- The data points that follow from what the world does: each service says once a minute what it sees.

local metrics = require "sim.cloudwatch.metrics"

local observe = {}

local function put(world, time, namespace, name, service, value, unit, count)
  metrics.add(world, namespace, name, {
    { name = "ClusterName", value = service.cluster }, { name = "ServiceName", value = service.service },
  }, { time = time, values = { value }, counts = count and { count } or nil, unit = unit })
end

-- Percent of what is reserved; one sample for each running task, and none when no task runs.
local function put_usage(world, time, service)
  if service.running > 0 then
    put(world, time, "AWS/ECS", "CPUUtilization", service, service.load.cpu, "Percent", service.running)
    put(world, time, "AWS/ECS", "MemoryUtilization", service, service.load.memory, "Percent", service.running)
  end
end

-- What one task of a service reserves: CPU units and MiB.
local function reserved(world, ecs, service)
  local shown = ecs.operations.describe_services(world, { cluster = service.cluster, services = { service.service } })
  local arn = shown.services[1] and shown.services[1].task_definition
  local definition = arn and ecs.operations.describe_task_definition(world, { task_definition = arn }).task_definition
  if not definition then
    return 0, 0
  end
  return tonumber(definition.cpu) or 0, tonumber(definition.memory) or 0
end

local function put_insights(world, time, ecs, service)
  local namespace = "ECS/ContainerInsights"
  put(world, time, namespace, "RunningTaskCount", service, service.running, "Count")
  put(world, time, namespace, "PendingTaskCount", service, service.pending, "Count")
  put(world, time, namespace, "DesiredTaskCount", service, service.desired, "Count")
  put(world, time, namespace, "DeploymentCount", service, service.deployments, "Count")
  if service.running > 0 then
    local cpu, memory = reserved(world, ecs, service)
    cpu, memory = cpu * service.running, memory * service.running
    put(world, time, namespace, "CpuReserved", service, cpu, "None")
    put(world, time, namespace, "CpuUtilized", service, cpu * service.load.cpu / 100, "None")
    put(world, time, namespace, "MemoryReserved", service, memory, "Megabytes")
    put(world, time, namespace, "MemoryUtilized", service, memory * service.load.memory / 100, "Megabytes")
  end
end

-- What the account uses of its Fargate quota, in vCPU: all tasks that run.
local function put_fargate(world, time, ecs, list)
  local units = 0
  for _, service in ipairs(list) do
    units = units + reserved(world, ecs, service) * service.running
  end
  metrics.add(world, "AWS/Usage", "ResourceCount", {
    { name = "Class", value = "Standard/OnDemand" }, { name = "Resource", value = "vCPU" },
    { name = "Service", value = "Fargate" }, { name = "Type", value = "Resource" },
  }, { time = time, values = { units / 1024 }, unit = "None" })
end

-- Whether a cluster has container insights on.
local function has_insights(world, ecs, cluster)
  local shown = ecs.operations.describe_clusters(world, { clusters = { cluster }, include = { "SETTINGS" } })
  for _, setting in ipairs(shown.clusters[1] and shown.clusters[1].settings or {}) do
    if setting.name == "containerInsights" then
      return setting.value ~= "disabled"
    end
  end
  return false
end

--- Puts the points of the services; `time` is in the minute that ends. Returns how many services there are.
function observe.services(world, time)
  local ecs = require "sim.ecs"
  local list, insights = ecs.services and ecs.services(world) or {}, {}
  for _, service in ipairs(list) do
    put_usage(world, time, service)
    if insights[service.cluster] == nil then
      insights[service.cluster] = has_insights(world, ecs, service.cluster)
    end
    if insights[service.cluster] then
      put_insights(world, time, ecs, service)
    end
  end
  if #list > 0 then
    put_fargate(world, time, ecs, list)
  end
  return #list
end

return observe
