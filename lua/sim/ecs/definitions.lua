--- Task definitions: families, revisions, and what Fargate demands of them.

local names = require "sim.ecs.names"
local page_of = require("sim.ecs.clusters").page
local texts = require "sim.facts.texts"
local util = require "sim.util"

local definitions = { operations = {} }
local operations = definitions.operations

local page_limit = 100

-- ---- sizes ---------------------------------------------------------------------------------------

local function steps(low, high, step)
  return { low = low, high = high, step = step }
end

-- Memory in MiB that goes with CPU units on Fargate.
local sizes = {
  [256] = { 512, 1024, 2048 },
  [512] = steps(1024, 4096, 1024),
  [1024] = steps(2048, 8192, 1024),
  [2048] = steps(4096, 16384, 1024),
  [4096] = steps(8192, 30720, 1024),
  [8192] = steps(16384, 61440, 4096),
  [16384] = steps(32768, 122880, 8192),
}

-- "1 vCPU" is 1024 units, "0.5 GB" is 512 MiB.
local function amount(text, unit)
  if not text then
    return nil
  end
  local number = tonumber(text)
  if not number then
    local units = text:lower():match("^%s*([%d.]+)%s*" .. unit .. "%s*$")
    number = units and tonumber(units) and tonumber(units) * 1024
  end
  return number and math.tointeger(number)
end

local function fits(cpu, memory)
  local allowed = sizes[cpu]
  if not allowed or not memory then
    return false
  elseif allowed.step then
    return memory >= allowed.low and memory <= allowed.high and memory % allowed.step == 0
  end
  return util.holds(allowed, memory)
end

-- ---- checks --------------------------------------------------------------------------------------

local health_ranges = {
  { "interval", 5, 300 }, { "timeout", 2, 60 }, { "retries", 1, 10 }, { "start_period", 0, 300 },
}

local function check_health(world, check)
  for _, range in ipairs(check and health_ranges or {}) do
    local name, low, high = table.unpack(range)
    local value = check[name]
    if value and (value < low or value > high) then
      texts.fail(world, "health_check", { name = name, low = tostring(low), high = tostring(high) })
    end
  end
end

local function check_containers(world, containers)
  if #containers == 0 then
    texts.fail(world, "containers_empty")
  end
  local seen, essential = {}, false
  for _, container in ipairs(containers) do
    if not container.name or container.name == "" then
      texts.fail(world, "container_name")
    elseif not container.image or container.image == "" then
      texts.fail(world, "container_image")
    elseif seen[container.name] then
      texts.fail(world, "container_twice", { name = container.name })
    end
    check_health(world, container.health_check)
    seen[container.name] = true
    essential = essential or container.essential ~= false
  end
  if not essential then
    texts.fail(world, "container_essential")
  end
end

--- Whether an image comes from ECR of an account, so that pulling it takes a role.
function definitions.from_ecr(image)
  return image:find("^%d+%.dkr%.ecr%.") ~= nil
end

local function check_role(world, input)
  for _, container in ipairs(input.container_definitions) do
    local log = container.log_configuration
    if definitions.from_ecr(container.image) then
      texts.fail(world, "role_images")
    elseif log and log.log_driver == "awslogs" then
      texts.fail(world, "role_logs")
    end
  end
end

local function check_secrets(world, containers)
  for _, container in ipairs(containers) do
    if container.secrets and #container.secrets > 0 then
      texts.fail(world, "role_secrets")
    end
  end
end

local function check_fargate(world, input)
  if input.network_mode ~= "awsvpc" then
    texts.fail(world, "fargate_network")
  elseif not input.cpu then
    texts.fail(world, "fargate_cpu")
  elseif not input.memory then
    texts.fail(world, "fargate_memory")
  elseif not fits(amount(input.cpu, "vcpu"), amount(input.memory, "gb")) then
    texts.fail(world, "fargate_size")
  end
  if not input.execution_role_arn then
    check_role(world, input)
  end
  for _, container in ipairs(input.container_definitions) do
    if (container.stop_timeout or 0) > 120 then
      texts.fail(world, "stop_timeout")
    end
    for _, port in ipairs(container.port_mappings or {}) do
      if port.host_port and port.host_port ~= 0 and port.host_port ~= port.container_port then
        texts.fail(world, "fargate_port")
      end
    end
  end
end

-- ---- what the service adds -----------------------------------------------------------------------

local function complete_ports(ports, mode)
  local out = {}
  for index, port in ipairs(ports or {}) do
    local copy = util.copy(port)
    copy.protocol = copy.protocol or "tcp"
    if not copy.host_port then
      copy.host_port = mode == "awsvpc" and copy.container_port or 0
    end
    out[index] = copy
  end
  return out
end

local function complete_container(container, mode)
  local copy = util.copy(container)
  copy.cpu = copy.cpu or 0
  copy.essential = copy.essential ~= false
  copy.environment = copy.environment or {}
  copy.mount_points = copy.mount_points or {}
  copy.volumes_from = copy.volumes_from or {}
  copy.system_controls = copy.system_controls or {}
  copy.port_mappings = complete_ports(copy.port_mappings, mode)
  if copy.health_check then
    local check = copy.health_check
    check.interval, check.timeout, check.retries = check.interval or 30, check.timeout or 5, check.retries or 3
  end
  return copy
end

local function add_once(list, seen, name)
  if not seen[name] then
    seen[name] = true
    list[#list + 1] = { name = name }
  end
end

-- What the agent must be able to do: "requiresAttributes".
local function attributes_of(input)
  local list, seen = {}, {}
  local prefix = "com.amazonaws.ecs.capability."
  for _, container in ipairs(input.container_definitions) do
    local log = container.log_configuration
    if log and log.log_driver then
      add_once(list, seen, prefix .. "logging-driver." .. log.log_driver)
    end
    if log and log.log_driver == "awslogs" then
      add_once(list, seen, "ecs.capability.execution-role-awslogs")
    end
    if definitions.from_ecr(container.image) then
      add_once(list, seen, prefix .. "ecr-auth")
      add_once(list, seen, "ecs.capability.execution-role-ecr-pull")
    end
    if container.health_check then
      add_once(list, seen, "ecs.capability.container-health-check")
    end
    for _, secret in ipairs(container.secrets or {}) do
      local asm = secret.value_from:find(":secretsmanager:", 1, true)
      add_once(list, seen, "ecs.capability.secrets." .. (asm and "asm" or "ssm") .. ".environment-variables")
    end
  end
  add_once(list, seen, prefix .. "docker-remote-api.1.18")
  if input.task_role_arn then
    add_once(list, seen, prefix .. "task-iam-role")
  end
  if input.network_mode == "awsvpc" then
    add_once(list, seen, "ecs.capability.task-eni")
  end
  return list
end

local copied = {
  "task_role_arn", "execution_role_arn", "volumes", "placement_constraints", "runtime_platform",
  "requires_compatibilities", "pid_mode", "ipc_mode", "proxy_configuration", "inference_accelerators",
  "ephemeral_storage", "enable_fault_injection",
}

local function make(world, input, revision, caller)
  local mode = input.network_mode or "bridge"
  local fargate = util.holds(input.requires_compatibilities, "FARGATE")
  local view = {
    task_definition_arn = world:arn("ecs", ("task-definition/%s:%d"):format(input.family, revision)),
    family = input.family, revision = revision, status = "ACTIVE", network_mode = mode,
    requires_attributes = attributes_of(input),
    compatibilities = (fargate or mode == "awsvpc") and { "EC2", "FARGATE" } or { "EXTERNAL", "EC2" },
    registered_at = world:now(), registered_by = caller and caller.arn,
    container_definitions = {},
  }
  for _, name in ipairs(copied) do
    view[name] = input[name]
  end
  view.volumes = view.volumes or {}
  view.placement_constraints = view.placement_constraints or {}
  view.cpu = input.cpu and tostring(amount(input.cpu, "vcpu") or input.cpu)
  view.memory = input.memory and tostring(amount(input.memory, "gb") or input.memory)
  for index, container in ipairs(input.container_definitions) do
    view.container_definitions[index] = complete_container(container, mode)
  end
  return { view = view, tags = input.tags or {} }
end

-- ---- finding -------------------------------------------------------------------------------------

-- "family:revision", "family" or an ARN of either.
local function parse(text)
  local short = text:match("^arn:[^:]*:ecs:[^:]*:[^:]*:task%-definition/(.+)$") or text
  local family, revision = short:match("^([^:]+):(%d+)$")
  if family then
    return family, math.tointeger(tonumber(revision))
  end
  return short
end

local function key_of(family, revision)
  return ("%s:%d"):format(family, revision)
end

local function latest_active(state, family)
  local known = state.families[family]
  for revision = known and known.latest or 0, 1, -1 do
    local definition = state.definitions[key_of(family, revision)]
    if definition and definition.view.status == "ACTIVE" then
      return definition
    end
  end
end

--- The definition of a caller's text, or nil. Without a revision it is the newest active one.
function definitions.find(world, text)
  local state = world:state("ecs")
  local family, revision = parse(text)
  if revision then
    return state.definitions[key_of(family, revision)]
  end
  return latest_active(state, family)
end

--- The definition that new tasks are to be made of: it must be active.
function definitions.usable(world, text)
  local definition = definitions.find(world, text)
  if not definition then
    texts.fail(world, "definition_missing")
  elseif definition.view.status ~= "ACTIVE" then
    texts.fail(world, "definition_inactive")
  end
  return definition.view
end

--- The definition of an ARN that the world itself keeps.
function definitions.of(world, arn)
  return world:state("ecs").definitions[arn:match("/([^/]+)$")].view
end

-- ---- operations ----------------------------------------------------------------------------------

function operations.register_task_definition(world, input, caller)
  if not names.valid(input.family) then
    texts.fail(world, "definition_family")
  end
  check_containers(world, input.container_definitions)
  if not input.execution_role_arn then
    check_secrets(world, input.container_definitions)
  end
  if util.holds(input.requires_compatibilities, "FARGATE") then
    check_fargate(world, input)
  end
  local state = world:state("ecs")
  local family = state.families[input.family] or { latest = 0 }
  state.families[input.family] = family
  family.latest = family.latest + 1
  local definition = make(world, input, family.latest, caller)
  state.definitions[key_of(input.family, family.latest)] = definition
  return { task_definition = definition.view, tags = definition.tags }
end

function operations.describe_task_definition(world, input)
  local definition = definitions.find(world, input.task_definition)
  if not definition then
    texts.fail(world, "definition_undescribed")
  end
  return {
    task_definition = definition.view,
    tags = util.holds(input.include, "TAGS") and definition.tags or {},
  }
end

-- Deregistering and deleting want one revision, named in full.
local function exact(world, text)
  local family, revision = parse(text)
  if not revision then
    texts.fail(world, "definition_revision")
  end
  return world:state("ecs").definitions[key_of(family, revision)]
end

function operations.deregister_task_definition(world, input)
  local definition = exact(world, input.task_definition)
  if not definition then
    texts.fail(world, "definition_undescribed")
  end
  local view = definition.view
  if view.status == "ACTIVE" then
    view.status = "INACTIVE"
    view.deregistered_at = world:now()
  end
  return { task_definition = view }
end

function operations.delete_task_definitions(world, input)
  local deleted, failures = {}, {}
  for _, text in ipairs(input.task_definitions) do
    local definition = exact(world, text)
    if definition and definition.view.status ~= "ACTIVE" then
      local view = definition.view
      view.status = "DELETE_IN_PROGRESS"
      view.delete_requested_at = view.delete_requested_at or world:now()
      deleted[#deleted + 1] = view
    else
      failures[#failures + 1] = {
        arn = definition and definition.view.task_definition_arn or text,
        reason = definition and "ACTIVE" or "MISSING",
      }
    end
  end
  return { task_definitions = deleted, failures = failures }
end

-- Families, and revisions within them, in order.
local function all_sorted(state)
  local list = {}
  for family, known in util.sorted_pairs(state.families) do
    for revision = 1, known.latest do
      list[#list + 1] = state.definitions[key_of(family, revision)]
    end
  end
  return list
end

function operations.list_task_definitions(world, input)
  local status, arns = input.status or "ACTIVE", {}
  for _, definition in ipairs(all_sorted(world:state("ecs"))) do
    local view = definition.view
    if view.status == status and (not input.family_prefix or view.family == input.family_prefix) then
      arns[#arns + 1] = view.task_definition_arn
    end
  end
  if input.sort == "DESC" then
    local turned = {}
    for index = #arns, 1, -1 do
      turned[#turned + 1] = arns[index]
    end
    arns = turned
  end
  local page, token = page_of(world, arns, input, page_limit)
  return { task_definition_arns = page, next_token = token }
end

function operations.list_task_definition_families(world, input)
  local state, status, found = world:state("ecs"), input.status or "ACTIVE", {}
  local prefix = input.family_prefix or ""
  for family in util.sorted_pairs(state.families) do
    local is = latest_active(state, family) and "ACTIVE" or "INACTIVE"
    if family:sub(1, #prefix) == prefix and (status == "ALL" or status == is) then
      found[#found + 1] = family
    end
  end
  local page, token = page_of(world, found, input, page_limit)
  return { families = page, next_token = token }
end

return definitions
