--- What a task needs before its containers run: secrets, log groups, images. Anything that is missing or
-- refused is the reason why it never starts.

local definitions = require "sim.ecs.definitions"
local durations = require "sim.facts.durations"
local texts = require "sim.facts.texts"
local util = require "sim.util"

local launch = {}

local function trouble(duration, name, values, container)
  return {
    duration = duration, text = texts.fill(texts.start[name], values or {}), container = container,
  }
end

local function blocked(world, service)
  return require("sim.faults").get(world, "network", service) == "blocked"
end

-- The session as which a task's role calls other services.
local function session_of(world, task, role)
  return world:arn("sts", ("assumed-role/%s/%s"):format(role and util.last_part(role) or "none", task.id))
    :gsub(":sts:[^:]*:", ":sts::")
end

-- ---- secrets -------------------------------------------------------------------------------------

-- "arn:...:secret:name-AbCdEf:json-key:stage:version" without what selects a part of it.
local function secret_arn(value)
  return value:match("^(arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:[^:]+)")
end

local secret_words = { denied = "secret_denied", missing = "secret_missing", no_version = "secret_no_version" }

local function secret_trouble(world, task, role, arn)
  if blocked(world, "secretsmanager") then
    return trouble("task_unreachable", "no_route_secretsmanager", { arn = arn })
  end
  local value, why = require("sim.secretsmanager").read(world, arn, role)
  if value == nil then
    return trouble("task_secret_denied", secret_words[why] or "secret_missing",
      { arn = arn, role = session_of(world, task, role) })
  end
end

local function parameter_trouble(world, task, role, name)
  if blocked(world, "ssm") then
    return trouble("task_unreachable", "no_route_ssm")
  end
  local value, why = require("sim.ssm").read(world, name, role)
  if value == nil then
    local arn = name:find("^arn:") and name or world:arn("ssm", "parameter/" .. name:gsub("^/", ""))
    return trouble("task_secret_denied", why == "denied" and "parameter_denied" or "parameter_missing",
      { arn = arn, name = name, role = session_of(world, task, role) })
  end
end

local function secrets_trouble(world, task, role, container)
  local log = container.log_configuration
  for _, list in ipairs { container.secrets or {}, log and log.secret_options or {} } do
    for _, secret in ipairs(list) do
      local arn = secret_arn(secret.value_from)
      local found
      if arn then
        found = secret_trouble(world, task, role, arn)
      else
        found = parameter_trouble(world, task, role, secret.value_from)
      end
      if found then
        return found
      end
    end
  end
end

local function registry_trouble(world, task, role, image)
  if not definitions.from_ecr(image) then
    return nil
  elseif blocked(world, "ecr") then
    return trouble("task_unreachable", "no_route_ecr", { r = world.data.region, ip = "52.94.1.1" })
  elseif not require("sim.iam").allows(world, role, "ecr:GetAuthorizationToken", "*") then
    return trouble("task_secret_denied", "registry_denied", { role = session_of(world, task, role) })
  end
end

local function log_trouble(world, container)
  local log = container.log_configuration
  local options = log and log.log_driver == "awslogs" and log.options
  if not options or not options["awslogs-group"] then
    return nil
  elseif blocked(world, "logs") then
    return trouble("task_unreachable", "log_group")
  elseif options["awslogs-create-group"] ~= "true"
    and not require("sim.logs").exists(world, options["awslogs-group"]) then
    return trouble("task_log_group_missing", "log_group")
  end
end

--- What keeps the task from being set up, or nil: {duration, text}.
function launch.setup_trouble(world, task, definition)
  local role = task.execution_role or definition.execution_role_arn
  for _, check in ipairs { secrets_trouble, function(w, t, r, c) return registry_trouble(w, t, r, c.image) end } do
    for _, container in ipairs(definition.container_definitions) do
      local found = check(world, task, role, container)
      if found then
        return found
      end
    end
  end
  for _, container in ipairs(definition.container_definitions) do
    local found = log_trouble(world, container)
    if found then
      return found
    end
  end
end

-- ---- images --------------------------------------------------------------------------------------

local platforms = { X86_64 = "linux/amd64", ARM64 = "linux/arm64" }

--- "linux/amd64" or "linux/arm64", as the definition asks.
function launch.platform(definition)
  local wanted = definition.runtime_platform and definition.runtime_platform.cpu_architecture
  return platforms[wanted or "X86_64"] or platforms.X86_64
end

--- The image by its digest, when the deployment has pinned one: "repo:tag" becomes "repo@sha256:...".
function launch.pinned(image, digest)
  if not digest or image:find("@", 1, true) then
    return image
  end
  return image:gsub(":[^:/]+$", "") .. "@" .. digest
end

local function image_trouble(image, why, container)
  return trouble("task_pull_missing", why == "denied" and "image_denied" or "image_missing",
    { image = image, n = "7" }, container)
end

--- Finds a container's image. Gives {digest, size}, or nil and what is wrong. A scenario that speaks of
-- "app:v2" means it also when the deployment asks for it by its digest.
function launch.image(world, definition, container, digest)
  local image = launch.pinned(container.image, digest)
  local faults = require "sim.faults"
  local found, why = nil, faults.get(world, "image_missing", container.image)
  if not why then
    found, why = require("sim.ecr").resolve(world, image)
  end
  if not found then
    return nil, image_trouble(image, why, container.name)
  end
  local platform = launch.platform(definition)
  local offered = faults.get(world, "architecture", container.image) or found.platforms
  if offered and not util.holds(offered, platform) then
    return nil, trouble("task_pull_platform", "platform", { platform = platform }, container.name)
  end
  return found
end

--- How long pulling images of so many bytes takes.
function launch.pull_seconds(world, bytes)
  return math.min(durations.take(world, "task_pull_base") + bytes / 60e6, 60)
end

return launch
