--- Properties of resources as the inputs of operations: other names, and the types that operations want.

local json = require "sim.json"
local util = require "sim.util"

local properties = {}

-- "HealthCheckIntervalSeconds" gives "health_check_interval_seconds", as the models' names become ours.
function properties.snake(name)
  local text = name:gsub("([^_])(%u%l+)", "%1_%2"):gsub("([%l%d])(%u)", "%1_%2")
  return (text:gsub("_+", "_"):lower())
end

-- Maps whose keys are their writer's own.
local free = {
  Options = true, DockerLabels = true, Labels = true, DriverOpts = true, Variables = true, Tags = false,
}

-- Members that are numbers or booleans wherever they stand; templates may write them as text.
local numbers = {
  port = true, container_port = true, host_port = true, desired_count = true, priority = true, interval = true,
  timeout = true, retries = true, start_period = true, maximum_percent = true, minimum_healthy_percent = true,
  health_check_interval_seconds = true, health_check_timeout_seconds = true, healthy_threshold_count = true,
  unhealthy_threshold_count = true, health_check_grace_period_seconds = true, retention_in_days = true,
  from_port = true, to_port = true, min_capacity = true, max_capacity = true, target_value = true, threshold = true,
  period = true, evaluation_periods = true, datapoints_to_alarm = true, scale_in_cooldown = true,
  scale_out_cooldown = true, stop_timeout = true, start_timeout = true, weight = true, base = true, order = true,
  memory_reservation = true, max_session_duration = true, soft_limit = true, hard_limit = true, size_in_gib = true,
  recovery_window_in_days = true, bake_time_in_minutes = true,
}
local booleans = {
  enable = true, rollback = true, essential = true, enable_execute_command = true, enable_ecs_managed_tags = true,
  health_check_enabled = true, read_only = true, readonly_root_filesystem = true, init_process_enabled = true,
  scan_on_push = true, actions_enabled = true, privileged = true, disable_scale_in = true, disable_networking = true,
}
-- Members that are text wherever they stand; templates may write them as numbers.
local texts = {
  value = true, name = true, http_code = true, status_code = true, cidr_ip = true, metric_name = true, namespace = true,
  statistic = true, unit = true, alarm_name = true,
}

local function scalar(name, value)
  if numbers[name] and type(value) == "string" then
    local number = tonumber(value)
    return number and (math.tointeger(number) or number) or value
  elseif numbers[name] and math.type(value) == "float" then
    return math.tointeger(value) or value
  elseif booleans[name] and (value == "true" or value == "false") then
    return value == "true"
  elseif texts[name] and type(value) ~= "string" then
    return tostring(value)
  end
  return value
end

local function copy_texts(map)
  local out = {}
  for key, item in pairs(map) do
    out[key] = type(item) == "table" and copy_texts(item) or tostring(item)
  end
  return out
end

--- Properties with our names and types. `renamed`: properties whose member is called otherwise.
function properties.input(value, renamed)
  if type(value) ~= "table" then
    return value
  end
  local out = {}
  for key, item in util.sorted_pairs(value) do
    if type(key) ~= "string" then
      out[key] = properties.input(item)
    elseif free[key] and type(item) == "table" then
      out[properties.snake(key)] = copy_texts(item)
    else
      local name = renamed and renamed[key] or properties.snake(key)
      out[name] = type(item) == "table" and properties.input(item) or scalar(name, item)
    end
  end
  return out
end

--- A document of a template as the text that operations take.
function properties.document(value)
  if type(value) ~= "table" then
    return value
  end
  return json.encode(value)
end

--- Some members of a table.
function properties.pick(value, names)
  local out = {}
  for _, name in ipairs(names) do
    out[name] = value[name]
  end
  return out
end

return properties
