--- The task definition in itself. ECS has checked most of this when a revision was registered; what is only
-- about to be registered is checked here as well.
-- Reads nothing but the described task definition.

local services = require "moonbook.services"

local subject = {}

-- Memory in MiB that goes with CPU units on Fargate: a list, or lowest, highest, step.
local SIZES = {
  [256] = { 512, 1024, 2048 },
  [512] = { low = 1024, high = 4096, step = 1024 },
  [1024] = { low = 2048, high = 8192, step = 1024 },
  [2048] = { low = 4096, high = 16384, step = 1024 },
  [4096] = { low = 8192, high = 30720, step = 1024 },
  [8192] = { low = 16384, high = 61440, step = 4096 },
  [16384] = { low = 32768, high = 122880, step = 8192 },
}

-- "512", "1 vCPU" and "0.5 GB" in units of 1/1024.
local function units(text)
  if not text then
    return nil
  end
  local number = tonumber(text)
  if number then
    return number
  end
  local part = tostring(text):lower():match("^%s*([%d.]+)%s*%a+%s*$")
  return part and tonumber(part) * 1024
end

local function fits(cpu, memory)
  local allowed = SIZES[cpu]
  if not allowed.step then
    return memory == allowed[1] or memory == allowed[2] or memory == allowed[3]
  end
  return memory >= allowed.low and memory <= allowed.high and (memory - allowed.low) % allowed.step == 0
end

local function size_problem(definition)
  local cpu, memory = units(definition.cpu), units(definition.memory)
  if not cpu or not memory then
    return "Fargate wants cpu and memory of the whole task"
  elseif definition.task_definition_arn or not SIZES[cpu] then
    return nil -- ECS has accepted it, or knows sizes that this list does not
  elseif not fits(cpu, memory) then
    return ("%g CPU units do not go with %g MiB on Fargate"):format(cpu, memory)
  end
end

local function holds(list, value)
  for _, item in ipairs(list or {}) do
    if item == value then
      return true
    end
  end
  return false
end

local function judge_launch(pass)
  local definition, problems = pass.definition, {}
  local mode = definition.network_mode or "bridge"
  if pass:on_fargate() then
    local known = definition.compatibilities or definition.requires_compatibilities
    if known and not holds(known, "FARGATE") then
      problems[#problems + 1] = "it is not made for Fargate: register it with requires_compatibilities FARGATE"
    end
    if mode ~= "awsvpc" then
      problems[#problems + 1] = ("its network mode is %s, Fargate wants awsvpc"):format(mode)
    end
    problems[#problems + 1] = size_problem(definition)
  end
  if mode == "awsvpc" and not pass:network() then
    problems[#problems + 1] = "its network mode is awsvpc, and the service has no subnets"
  elseif mode ~= "awsvpc" and pass:network() then
    problems[#problems + 1] = ("the service has subnets, which the network mode %s does not take"):format(mode)
  end
  pass:require_none(
    "task definition fits the service",
    problems,
    ("%s, %s CPU units, %s MiB, %s"):format(
      pass:on_fargate() and "Fargate" or "EC2",
      definition.cpu or "no",
      definition.memory or "no",
      mode
    )
  )
end

-- What the containers reserve together must fit the task; none may have more than all of it.
local function resource_problems(definition, problems)
  local cpu, memory = units(definition.cpu), units(definition.memory)
  local used_cpu, used_memory = 0, 0
  for _, container in ipairs(definition.container_definitions) do
    used_cpu = used_cpu + (container.cpu or 0)
    used_memory = used_memory + (container.memory_reservation or container.memory or 0)
    if memory and (container.memory or 0) > memory then
      problems[#problems + 1] = ("container %s may use %d MiB, the task has %d"):format(
        container.name,
        container.memory,
        memory
      )
    end
  end
  if memory and used_memory > memory then
    problems[#problems + 1] = ("the containers reserve %d MiB, the task has %d"):format(used_memory, memory)
  end
  if cpu and used_cpu > cpu then
    problems[#problems + 1] = ("the containers reserve %d CPU units, the task has %d"):format(used_cpu, cpu)
  end
end

local function judge_containers(pass)
  local problems, names, seen, essential = {}, {}, {}, false
  for index, container in ipairs(pass.definition.container_definitions) do
    names[index] = container.name
    essential = essential or container.essential ~= false
    if seen[container.name] then
      problems[#problems + 1] = ("two containers are called %s"):format(container.name)
    end
    seen[container.name] = true
  end
  if not essential then
    problems[#problems + 1] = "no container is essential: one must be"
  end
  resource_problems(pass.definition, problems)
  pass:require_none("containers fit together", problems, table.concat(names, ", "))
end

local function health_problem(container)
  local check = container.health_check
  local command = check and check.command or {}
  if not check or command[1] == "NONE" then
    return nil
  elseif #command == 0 or (command[1] == "CMD" or command[1] == "CMD-SHELL") and #command == 1 then
    return ("the health check of container %s has no command"):format(container.name)
  elseif (check.timeout or 5) > (check.interval or 30) then
    return ("the health check of container %s may take %d seconds and is made every %d"):format(
      container.name,
      check.timeout or 5,
      check.interval or 30
    )
  end
end

local function judge_health_checks(pass)
  local problems, checked = {}, {}
  for _, container in ipairs(pass.definition.container_definitions) do
    if container.health_check then
      checked[#checked + 1] = container.name
      problems[#problems + 1] = health_problem(container)
    end
  end
  if #checked > 0 then
    pass:advise_none("container health checks", problems, table.concat(checked, ", "))
  end
end

-- What belongs to a task and no subject looks at.
local function judge_rest(pass)
  local rest = {}
  for _, container in ipairs(pass.definition.container_definitions) do
    if #(container.environment_files or {}) > 0 then
      rest[#rest + 1] = ("environment files of container %s"):format(container.name)
    end
  end
  for _, volume in ipairs(pass.definition.volumes or {}) do
    if volume.efs_volume_configuration or volume.fsx_windows_file_server_volume_configuration then
      rest[#rest + 1] = ("the file system of volume %s"):format(volume.name)
    end
  end
  if #rest > 0 then
    pass:unread("files of the tasks", table.concat(rest, ", ") .. ": not looked at", "warn")
  end
end

function subject.judge(pass)
  local definition = pass.definition
  -- What is to be registered becomes a revision of its own, whatever the one before is.
  if definition.status and not pass.registers then
    pass:require(
      "task definition is active",
      definition.status == "ACTIVE",
      ("%s is %s%s"):format(
        services.revision(definition.task_definition_arn),
        definition.status,
        definition.status ~= "ACTIVE" and ": register it anew" or ""
      )
    )
  end
  judge_launch(pass)
  judge_containers(pass)
  judge_health_checks(pass)
  judge_rest(pass)
end

return subject
