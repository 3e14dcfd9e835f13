--- Looks a recorded world over before anything is made of it: version, types, and the names that must lead
-- somewhere. What a denied read left out may be missing; what is there must be right.

local types = require "sim.recorded.types"

local check = {}

local version = 1

-- Stops looking: the first problem is told.
local function wrong(path, text, ...)
  error({ problem = ("%s: %s"):format(path, text:format(...)) }, 0)
end

-- ---- members -------------------------------------------------------------------------------------

local function kind_of(value)
  return value == nil and "nothing" or type(value) == "table" and "an object or list" or "a " .. type(value)
end

local words = { table = "an object or list", string = "a string", number = "a number", boolean = "a boolean" }

local function want(path, map, name, kind)
  if type(map[name]) ~= kind then
    wrong(path .. "." .. name, "expected %s, got %s", words[kind], kind_of(map[name]))
  end
end

-- "service_arn desired_count=number rollback?=table": members that must be there, or with "?" may be; text when
-- nothing is said.
local function need(path, map, members)
  for name, optional, kind in members:gmatch("([%w_]+)(%??)=?(%a*)") do
    if optional == "" or map[name] ~= nil then
      want(path, map, name, kind ~= "" and kind or "string")
    end
  end
end

local function list(path, value, visit)
  if value == nil then
    return
  elseif type(value) ~= "table" or next(value) ~= nil and value[1] == nil then
    wrong(path, "expected a list, got %s", type(value) == "table" and "an object" or kind_of(value))
  end
  for index, item in ipairs(value) do
    local at = ("%s[%d]"):format(path, index)
    if type(item) ~= "table" then
      wrong(at, "expected an object, got %s", kind_of(item))
    end
    visit(at, item)
  end
end

-- ---- the shape -----------------------------------------------------------------------------------

-- Lists by path, with the members that each of their items must have.
local lists = {
  { "ecs", "clusters", "cluster_name cluster_arn" },
  { "ecs", "services", "service_arn service_name cluster_arn status desired_count=number running_count=number "
    .. "task_definition created_at=number deployments=table deployment_configuration=table" },
  { "ecs", "service_deployments", "service_deployment_arn service_arn status created_at=number rollback?=table" },
  { "ecs", "service_revisions", "service_revision_arn service_arn task_definition created_at=number" },
  { "ecs", "task_definitions", "task_definition=table" },
  { "ecs", "tasks", "task_arn task_definition_arn last_status desired_status created_at=number containers=table" },
  { "elbv2", "target_groups", "target_group_arn target_group_name port=number health_check_port "
    .. "health_check_interval_seconds=number health_check_timeout_seconds=number healthy_threshold_count=number "
    .. "unhealthy_threshold_count=number" },
  { "elbv2", "load_balancers", "load_balancer_arn load_balancer_name dns_name state=table" },
  { "elbv2", "listeners", "listener_arn load_balancer_arn port=number default_actions=table" },
  { "elbv2", "tags", "resource_arn" },
  { "ec2", "vpcs", "vpc_id cidr_block" },
  { "ec2", "subnets", "subnet_id vpc_id cidr_block availability_zone available_ip_address_count=number" },
  { "ec2", "security_groups", "group_id group_name vpc_id" },
  { "ec2", "route_tables", "route_table_id associations=table routes=table" },
  { "ecr", "repositories", "repository_name" },
  { "logs", "log_groups", "log_group_name" },
  { "cloudwatch", "metric_alarms", "alarm_name state_value" },
  { "cloudwatch", "dashboards", "dashboard_name dashboard_body" },
  { "application_autoscaling", "scalable_targets", "resource_id min_capacity=number max_capacity=number" },
  { "application_autoscaling", "scaling_policies", "resource_id policy_name policy_arn" },
  { "application_autoscaling", "scheduled_actions", "resource_id scheduled_action_name schedule" },
  { "secretsmanager", "secrets", "arn name" },
  { "ssm", "parameters", "name" },
  { "iam", "roles", "role_name arn" },
}

-- Objects whose members are named by ARN, repository or role.
local maps = {
  { "elbv2", "target_group_attributes" }, { "elbv2", "target_health" }, { "elbv2", "load_balancer_attributes" },
  { "elbv2", "rules" }, { "ecr", "images" }, { "ecr", "manifests" }, { "ecr", "others" },
  { "iam", "attached_policies" }, { "ssm", "stand_for" },
}

local items = {
  target_health = "target=table target_health=table", rules = "rule_arn priority actions=table",
  images = "image_digest image_pushed_at=number", target_group_attributes = "key",
  load_balancer_attributes = "key", attached_policies = "policy_arn",
}

local known = { moonbook_world = true, recorded_at = true, account = true, region = true, cluster = true,
  service = true, environment = true, not_read = true }

local function check_head(file)
  if file.moonbook_world == nil then
    wrong("moonbook_world", "this is not a recorded world: its version is missing")
  elseif file.moonbook_world ~= version then
    wrong("moonbook_world", "version %s is not known; this moonbook reads version %d", tostring(file.moonbook_world),
      version)
  end
  need("", file, "recorded_at=number account region")
  if not file.account:find("^%d%d%d%d%d%d%d%d%d%d%d%d$") then
    wrong("account", "'%s' is not an account: twelve digits", file.account)
  elseif not file.region:find("^%l%l[%l%d-]*%-%d+$") then
    wrong("region", "'%s' is not a region, such as eu-west-1", file.region)
  end
end

local function check_sections(file)
  local sections = {}
  for _, entry in ipairs(lists) do
    sections[entry[1]] = true
  end
  for name, value in pairs(file) do
    if sections[name] and type(value) ~= "table" then
      wrong(name, "expected an object, got %s", kind_of(value))
    elseif not sections[name] and not known[name] then
      wrong(tostring(name), "there is no such part of a recorded world")
    end
  end
end

local function check_lists(file)
  for _, entry in ipairs(lists) do
    local section, member, members = table.unpack(entry)
    local path = section .. "." .. member
    list(path, (file[section] or {})[member], function(at, item)
      need(at, item, members)
    end)
  end
  list("not_read", file.not_read, function(at, item)
    need(at, item, "what operation code")
  end)
end

local function check_maps(file)
  for _, entry in ipairs(maps) do
    local section, member = table.unpack(entry)
    local map, path = (file[section] or {})[member], section .. "." .. member
    if map ~= nil and type(map) ~= "table" then
      wrong(path, "expected an object, got %s", kind_of(map))
    end
    for key in pairs(member == "manifests" and map or {}) do
      want(path, map, key, "table")
    end
    for key, value in pairs(items[member] and map or {}) do
      list(('%s["%s"]'):format(path, tostring(key)), value, function(at, item)
        need(at, item, items[member])
        need(at .. ".target", item.target or {}, member == "target_health" and "id port?=number" or "")
      end)
    end
  end
end

-- ---- ECS -----------------------------------------------------------------------------------------

local function check_definitions(file)
  local there = {}
  for index, found in ipairs(file.ecs.task_definitions or {}) do
    local path = ("ecs.task_definitions[%d].task_definition"):format(index)
    local definition = found.task_definition
    need(path, definition, "task_definition_arn family revision=number container_definitions=table")
    list(path .. ".container_definitions", definition.container_definitions, function(at, container)
      need(at, container, "name image")
    end)
    there[definition.task_definition_arn] = true
  end
  return there
end

-- Why a read gave nothing, for a message.
local function why(file, operation)
  for _, missing in ipairs(file.not_read or {}) do
    if missing.operation == operation then
      return (" (%s could not be read: %s)"):format(operation, missing.code)
    end
  end
  return ""
end

local function on_fargate(thing)
  for _, item in ipairs(thing.capacity_provider_strategy or {}) do
    if not tostring(item.capacity_provider):find("^FARGATE") then
      return false
    end
  end
  return (thing.launch_type or "FARGATE") == "FARGATE"
end

local function refuse_not_simulated(path, service)
  local controller = (service.deployment_controller or {}).type or "ECS"
  if service.scheduling_strategy == "DAEMON" then
    wrong(path .. ".scheduling_strategy", "the simulator has no services with the scheduling strategy DAEMON")
  elseif controller ~= "ECS" then
    wrong(path .. ".deployment_controller", "the simulator has no services with the deployment controller %s",
      controller)
  elseif not on_fargate(service) then
    wrong(path .. ".launch_type", "the simulator runs tasks on Fargate only")
  end
end

local function check_services(file, definitions)
  if not file.ecs or not file.ecs.services or not file.ecs.services[1] then
    wrong("ecs.services", "there is no service")
  end
  for index, service in ipairs(file.ecs.services) do
    local path = ("ecs.services[%d]"):format(index)
    if not service.service_arn:find(("arn:aws:ecs:%s:%s:service/"):format(file.region, file.account), 1, true) then
      wrong(path .. ".service_arn", "'%s' is not an ARN of account %s, region %s and partition aws",
        service.service_arn, file.account, file.region)
    end
    need(path .. ".deployment_configuration", service.deployment_configuration,
      "maximum_percent=number minimum_healthy_percent=number")
    refuse_not_simulated(path, service)
    list(path .. ".deployments", service.deployments, function(at, deployment)
      need(at, deployment, "id status task_definition desired_count=number created_at=number updated_at=number")
      if not definitions[deployment.task_definition] then
        wrong(at .. ".task_definition", "ecs.task_definitions has no %s%s", deployment.task_definition,
          why(file, "ecs.describe_task_definition"))
      end
    end)
  end
end

local function check_all(file)
  if type(file) ~= "table" then
    wrong("the file", "expected an object, got %s", kind_of(file))
  end
  check_head(file)
  check_sections(file)
  check_lists(file)
  check_maps(file)
  local path, kind = types.problem(file)
  if path then
    wrong(path, "expected %s", kind)
  end
  check_services(file, check_definitions { ecs = file.ecs or {} })
end

--- What is wrong with a file, as one line that names the field; nil when it can be loaded.
function check.problem(file)
  local ok, err = pcall(check_all, file)
  if ok then
    return nil
  elseif type(err) == "table" and err.problem then
    return (err.problem:gsub("^%.", ""))
  end
  error(err, 0)
end

return check
