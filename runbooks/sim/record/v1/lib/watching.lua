--- What watches and moves a service: log groups, alarms, dashboards, auto scaling.

local lists = require "lib.lists"

local watching = {}

-- ---- log groups ----------------------------------------------------------------------------------

local function log_groups_named(world, more)
  local names, add = lists.set()
  for _, found in ipairs(world.task_definitions) do
    for _, container in ipairs(found.task_definition.container_definitions or {}) do
      local log = container.log_configuration or {}
      add(log.log_driver == "awslogs" and (log.options or {})["awslogs-group"] or nil)
    end
  end
  add(more)
  return names
end

--- The log groups of the containers of `world`, and `more` (a name or nil): {log_groups}.
function watching.logs(reader, world, more)
  local out = {}
  each(log_groups_named(world, more), function(name)
    local answer = reader:all("log group " .. name, logs.describe_log_groups, { log_group_name_prefix = name })
    for _, group in ipairs(answer.log_groups or {}) do
      if group.log_group_name == name then
        out[#out + 1] = group
      end
    end
  end)
  table.sort(out, function(a, b)
    return a.log_group_name < b.log_group_name
  end)
  return { log_groups = out }
end

-- ---- alarms --------------------------------------------------------------------------------------

-- Values of dimensions that speak of this service: each of a list must be as it says.
local function dimensions_of(service, balancing)
  local cluster = service.cluster_arn:match("([^/]+)$")
  local out = { { ClusterName = cluster, ServiceName = service.service_name } }
  for _, balancer in ipairs(balancing.load_balancers) do
    out[#out + 1] = { LoadBalancer = balancer.load_balancer_arn:match(":loadbalancer/(.*)$") }
  end
  for _, group in ipairs(balancing.target_groups) do
    out[#out + 1] = { TargetGroup = group.target_group_arn:match(":(targetgroup/.*)$") }
  end
  return out
end

local function speaks_of(dimensions, wanted)
  local has = {}
  for _, dimension in ipairs(dimensions or {}) do
    has[dimension.name] = dimension.value
  end
  for name, value in pairs(wanted) do
    if has[name] ~= value then
      return false
    end
  end
  return true
end

local function is_about(alarm, wanted)
  local metrics = { alarm.dimensions }
  for _, query in ipairs(alarm.metrics or {}) do
    metrics[#metrics + 1] = ((query.metric_stat or {}).metric or {}).dimensions
  end
  for _, dimensions in ipairs(metrics) do
    for _, one in ipairs(wanted) do
      if speaks_of(dimensions, one) then
        return true
      end
    end
  end
  return false
end

local function named_alarms(service)
  local configured = (service.deployment_configuration or {}).alarms or {}
  return configured.alarm_names or {}
end

-- Page by page: an account may have thousands of alarms, and only a few are kept.
local function read_alarms(reader, service, balancing)
  local kept, named, wanted = {}, named_alarms(service), dimensions_of(service, balancing)
  local composite = {}
  reader:read("alarms", function(input)
    for page in pages(cloudwatch.describe_alarms, input) do
      for _, alarm in ipairs(page.metric_alarms or {}) do
        if lists.holds(named, alarm.alarm_name) or is_about(alarm, wanted) then
          kept[#kept + 1] = alarm
        end
      end
      for _, alarm in ipairs(page.composite_alarms or {}) do
        composite[#composite + 1] = lists.holds(named, alarm.alarm_name) and alarm.alarm_name or nil
      end
    end
    return true
  end, { alarm_types = { "MetricAlarm", "CompositeAlarm" } })
  for _, name in ipairs(composite) do
    reader:note("alarm " .. name, {
      operation = "cloudwatch.describe_alarms",
      code = "NotSimulated",
      message = "the simulator has no composite alarms: this one never fires there",
    })
  end
  return kept
end

-- ---- dashboards ----------------------------------------------------------------------------------

local most_dashboards = 5

local function read_dashboards(reader, service, more)
  local listed = reader:all("dashboards", cloudwatch.list_dashboards, {})
  local names, add = lists.set()
  for _, entry in ipairs(listed.dashboard_entries or {}) do
    local name = entry.dashboard_name
    if name == more or #names < most_dashboards and name:find(service.service_name, 1, true) then
      add(name)
    end
  end
  local answers = each(names, function(name)
    return reader:read("dashboard " .. name, cloudwatch.get_dashboard, { dashboard_name = name }) or false
  end)
  local out = {}
  for _, answer in ipairs(answers) do
    out[#out + 1] = answer or nil
  end
  return out
end

--- The alarms that a service's deployments watch or that watch it or its load balancers, and its
-- dashboards: those with its name in theirs, and `more`. {metric_alarms, dashboards}.
function watching.alarms(reader, service, balancing, more)
  local out = {}
  together {
    function()
      out.metric_alarms = read_alarms(reader, service, balancing)
    end,
    function()
      out.dashboards = read_dashboards(reader, service, more)
    end,
  }
  return out
end

-- ---- auto scaling --------------------------------------------------------------------------------

--- {scalable_targets, scaling_policies, scheduled_actions} of a service.
function watching.scaling(reader, service)
  local resource = ("service/%s/%s"):format(service.cluster_arn:match("([^/]+)$"), service.service_name)
  local scaling, out = application_autoscaling, {}
  local input = { service_namespace = "ecs", resource_id = resource }
  together {
    function()
      out.scalable_targets = reader:all("scalable targets", scaling.describe_scalable_targets, {
        service_namespace = "ecs",
        resource_ids = { resource },
      }).scalable_targets
    end,
    function()
      out.scaling_policies = reader:all("scaling policies", scaling.describe_scaling_policies, input).scaling_policies
    end,
    function()
      out.scheduled_actions = reader:all(
        "scheduled actions", scaling.describe_scheduled_actions, input).scheduled_actions
    end,
  }
  return out
end

return watching
