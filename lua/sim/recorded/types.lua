--- What members of a recorded world are, wherever they stand: AWS's names mean one thing. Names that mean several
-- are not here, nor are those that nothing is made of.

local types = {}

local function set(names)
  local out = {}
  for name in names:gmatch("%S+") do
    out[name] = true
  end
  return out
end

local numbers = set [[
  created_at updated_at started_at stopped_at stopping_at finished_at execution_stopped_at pull_stopped_at
  desired_count running_count pending_count failed_tasks revision container_port failure_count threshold
  image_pushed_at ]]

local texts = set [[
  name service_arn cluster_arn task_arn task_definition_arn service_revision_arn service_deployment_arn
  target_group_arn load_balancer_arn listener_arn rule_arn policy_arn image image_digest started_by group last_status
  desired_status stop_code stopped_reason alarm_name subnet_id vpc_id group_id container_name repository_name
  cpu_architecture http_code value_from ]]

local objects = set [[
  network_configuration awsvpc_configuration runtime_platform overrides deployment_circuit_breaker matcher
  log_configuration health_check deployment_configuration deployment_controller suspended_state
  target_service_revision ]]

-- Lists of objects, and lists of texts or of objects.
local object_lists = set [[
  events deployments containers attachments details container_images port_mappings secrets secret_options
  load_balancers container_definitions source_service_revisions current_service_revisions tags ip_permissions
  ip_permissions_egress capacity_provider_strategy dimensions ]]

local lists = set [[ subnets security_groups image_tags alarm_names triggered_alarm_names compatibilities command ]]

-- Maps whose names are somebody's own.
local free = set [[ options docker_labels manifests others stand_for labels driver_opts version_ids_to_stages ]]

local function is_list(value)
  return type(value) == "table" and (next(value) == nil or value[1] ~= nil)
end

local function wanted(name, value)
  if numbers[name] and type(value) ~= "number" then
    return "a number"
  elseif texts[name] and type(value) ~= "string" then
    return "a string"
  elseif objects[name] and (type(value) ~= "table" or value[1] ~= nil) then
    return "an object"
  elseif (object_lists[name] or lists[name]) and not is_list(value) then
    return "a list"
  end
end

local walk

-- The first member that is not what its name says: its path, and what it should be.
local function problem_of(path, name, value)
  local kind = wanted(name, value)
  if kind then
    return path, kind
  elseif type(value) ~= "table" or free[name] then
    return nil
  end
  for index, item in ipairs(value) do
    local kept = object_lists[name] and type(item) == "table" or lists[name] and (
      type(item) == "string" or type(item) == "table" and item[1] == nil and next(item) ~= nil)
    if (object_lists[name] or lists[name]) and not kept then
      return ("%s[%d]"):format(path, index), object_lists[name] and "an object" or "a string"
    end
  end
  return walk(path, value)
end

function walk(path, map)
  for key, value in pairs(map) do
    local at = type(key) == "number" and ("%s[%d]"):format(path, key)
      or path == "" and key or ("%s.%s"):format(path, key)
    local found, kind = problem_of(at, key, value)
    if found then
      return found, kind
    end
  end
end

--- The path of the first member of a file that is not what its name says, and what it should be; nil when all are.
function types.problem(file)
  return walk("", file)
end

return types
