--- What is different between two revisions of a service: lines for people. Values of environment variables
-- are never shown, and options of log drivers only where they cannot be secret. Pure.

local changes = {}

-- ---- showing values ------------------------------------------------------------------------------

local function show(value)
  if value == nil then
    return "none"
  elseif type(value) == "table" then
    return json.encode(value)
  end
  return tostring(value)
end

local function equal(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  end
  return json.encode(a) == json.encode(b)
end

-- An empty list or map says as much as none.
local function plain(value)
  if type(value) == "table" and next(value) == nil then
    return nil
  end
  return value
end

local function differ(lines, what, before, after)
  before, after = plain(before), plain(after)
  if not equal(before, after) then
    lines[#lines + 1] = ("%s: %s -> %s"):format(what, show(before), show(after))
  end
end

-- ---- lists of named things -----------------------------------------------------------------------

local function by(list, key)
  local out = {}
  for _, item in ipairs(list or {}) do
    out[item[key]] = item
  end
  return out
end

-- Calls `tell(name, before, after)` for every name of the two lists, in order of the names.
local function each_name(before, after, key, tell)
  local old, new = by(before, key), by(after, key)
  local names = {}
  for name in pairs(old) do
    names[name] = true
  end
  for name in pairs(new) do
    names[name] = true
  end
  for name in pairs(names) do
    tell(name, old[name], new[name])
  end
end

local function environment(lines, container, before, after)
  each_name(before.environment, after.environment, "name", function(name, old, new)
    local how = not old and "added" or not new and "removed" or old.value ~= new.value and "has another value"
    if how then
      lines[#lines + 1] = ("environment variable %s of %s: %s"):format(name, container, how)
    end
  end)
end

local function secrets(lines, container, before, after)
  each_name(before.secrets, after.secrets, "name", function(name, old, new)
    differ(lines, ("secret %s of %s"):format(name, container), old and old.value_from, new and new.value_from)
  end)
end

local function ports(list)
  local out = {}
  for _, mapping in ipairs(list or {}) do
    local port = mapping.container_port or mapping.container_port_range or "?"
    out[#out + 1] = ("%s/%s"):format(port, mapping.protocol or "tcp")
  end
  return #out > 0 and table.concat(out, ", ") or nil
end

local function log_options(lines, container, before, after)
  local old, new = before.log_configuration or {}, after.log_configuration or {}
  differ(lines, "log driver of " .. container, old.log_driver, new.log_driver)
  local names = {}
  for _, options in ipairs { old.options or {}, new.options or {} } do
    for name in pairs(options) do
      names[name] = true
    end
  end
  for name in pairs(names) do
    local was, is = (old.options or {})[name], (new.options or {})[name]
    if name:find("^awslogs%-") then
      differ(lines, ("log option %s of %s"):format(name, container), was, is)
    elseif was ~= is then
      lines[#lines + 1] = ("log option %s of %s: changed"):format(name, container)
    end
  end
end

-- ---- containers ----------------------------------------------------------------------------------

local CONTAINER_FIELDS = {
  "essential", "entry_point", "command", "working_directory", "user", "cpu", "memory", "memory_reservation",
  "health_check", "stop_timeout", "start_timeout", "depends_on", "readonly_root_filesystem", "mount_points",
  "ulimits", "linux_parameters", "environment_files", "repository_credentials", "volumes_from",
}

local function container(lines, name, before, after)
  if not before or not after then
    lines[#lines + 1] = ("container %s: %s"):format(name, before and "removed" or "added (" .. show(after.image) .. ")")
    return
  end
  differ(lines, "image of " .. name, before.image, after.image)
  environment(lines, name, before, after)
  secrets(lines, name, before, after)
  differ(lines, "ports of " .. name, ports(before.port_mappings), ports(after.port_mappings))
  for _, field in ipairs(CONTAINER_FIELDS) do
    differ(lines, ("%s of %s"):format(field, name), before[field], after[field])
  end
  log_options(lines, name, before, after)
end

local DEFINITION_FIELDS = {
  "cpu", "memory", "task_role_arn", "execution_role_arn", "network_mode", "runtime_platform", "ephemeral_storage",
  "volumes", "requires_compatibilities", "pid_mode", "proxy_configuration",
}

--- Lines about two task definitions as DescribeTaskDefinition gives them.
function changes.of_definitions(before, after)
  local lines = {}
  each_name(before.container_definitions, after.container_definitions, "name", function(name, old, new)
    container(lines, name, old, new)
  end)
  for _, field in ipairs(DEFINITION_FIELDS) do
    differ(lines, field, before[field], after[field])
  end
  return lines
end

-- ---- service revisions ---------------------------------------------------------------------------

local REVISION_FIELDS = {
  "launch_type", "capacity_provider_strategy", "platform_version", "load_balancers", "service_registries",
  "network_configuration", "service_connect_configuration", "volume_configurations",
}

local function digests(lines, before, after)
  each_name(before.container_images, after.container_images, "container_name", function(name, old, new)
    if old and new and old.image_digest ~= new.image_digest then
      lines[#lines + 1] = ("image digest of %s: %s -> %s"):format(
        name, old.image_digest or "not resolved", new.image_digest or "not resolved"
      )
    end
  end)
end

--- Lines about two service revisions as DescribeServiceRevisions gives them.
function changes.of_revisions(before, after)
  local lines = {}
  digests(lines, before, after)
  for _, field in ipairs(REVISION_FIELDS) do
    differ(lines, "service's " .. field, before[field], after[field])
  end
  return lines
end

local function revision(arn)
  return arn and arn:match("([^/]+)$") or "?"
end

--- Lines about what the deployment of the evidence changes against what ran before; empty when nothing does or
-- the one before is not known.
function changes.lines(ev)
  local lines = {}
  local before, after = ev.previous_definition, ev.definition
  if before and after and before ~= after then
    lines[1] = ("task definition: %s -> %s"):format(
      revision(before.task_definition_arn), revision(after.task_definition_arn)
    )
    local found = changes.of_definitions(before, after)
    table.move(found, 1, #found, 2, lines)
  end
  if ev.source and ev.target then
    local more = changes.of_revisions(ev.source, ev.target)
    table.move(more, 1, #more, #lines + 1, lines)
  end
  return lines
end

return changes
