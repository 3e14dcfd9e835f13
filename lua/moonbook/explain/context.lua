--- Values for the sentences of a finding, from the rest of the evidence: the image, the role, the log group. Pure.

local texts = require "moonbook.explain.texts"

local context = {}

local PLATFORMS = { X86_64 = "linux/amd64", ARM64 = "linux/arm64" }

local function container_of(ev, name)
  local first
  for _, container in ipairs(ev.definition and ev.definition.container_definitions or {}) do
    if container.name == name then
      return container
    end
    first = first or container.essential ~= false and container or nil
  end
  return name == nil and first or nil
end

--- The name of the container that the load balancer asks, else of the first essential one; nil when neither is
-- known.
function context.main_container(ev)
  for _, group in ipairs(ev.groups or {}) do
    if group.container then
      return group.container
    end
  end
  local container = container_of(ev, nil)
  return container and container.name
end

--- The log group of a container, or of the first that has one; nil when it writes to none.
function context.log_group(ev, name)
  for _, container in ipairs(ev.definition and ev.definition.container_definitions or {}) do
    local options = container.log_configuration and container.log_configuration.options
    if options and options["awslogs-group"] and (not name or container.name == name) then
      return options["awslogs-group"]
    end
  end
  return nil
end

local function role_name(arn)
  return arn and arn:match("role/(.+)$")
end

-- "1.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v2" to "shop/web" and "imageTag=v2".
local function image_parts(image)
  local path = image and image:match("^[^/]+%.dkr%.ecr%.[^/]+/(.+)$")
  if not path then
    return nil
  end
  local repository, digest = path:match("^(.-)@(.+)$")
  if digest then
    return repository, "imageDigest=" .. digest
  end
  local plain, tag = path:match("^(.-):([^:/]+)$")
  return plain or path, "imageTag=" .. (tag or "latest")
end

-- Of an image that the registry does not know, what the reason names is what was asked for.
local function image_in(ev, finding)
  local container = container_of(ev, finding.values.container) or container_of(ev, nil)
  return container and container.image
end

local function check_command(container)
  local check = container and container.health_check
  return check and table.concat(check.command or {}, " ")
end

-- Whether ECS has gone back by itself, or is about to.
local function goes_back(record)
  return record ~= nil and record.status ~= nil and record.status:find("^ROLLBACK_") ~= nil and record.status ~= "ROLLBACK_FAILED"
end

local function rollback_command(ev)
  if goes_back(ev.record) then
    return nil
  end
  return ("moonbook run rollback/ecs --cluster %s --service %s"):format(ev.cluster, ev.name)
end

-- Values of the evidence that any sentence may name.
local function common(ev, finding)
  local definition = ev.definition or {}
  local container = container_of(ev, finding.values.container) or container_of(ev, nil) or {}
  local platform = definition.runtime_platform and definition.runtime_platform.cpu_architecture
  local image = image_in(ev, finding)
  local repository, image_id = image_parts(image)
  return {
    cluster = ev.cluster, service = ev.name, count = finding.count, container = container.name,
    image = image, repository = repository, image_id = image_id,
    platform = ev.definition and (PLATFORMS[platform or "X86_64"] or platform),
    memory = container.memory or definition.memory, role = role_name(definition.execution_role_arn),
    log_group = context.log_group(ev, container.name), log_stream = ev.log and ev.log.stream,
    health_command = check_command(container),
    deployment = ev.record and ev.record.service_deployment_arn, rollback_command = rollback_command(ev),
  }
end

--- The values for a finding's sentences: its own, and for the rest what the evidence knows.
function context.values(ev, finding)
  local values = common(ev, finding)
  for key, value in pairs(finding.values) do
    values[key] = value
  end
  return values
end

--- Values for a sentence from a task's reason alone.
function context.of_text(why, options)
  local values = texts.values((why.container_reason or "") .. " " .. (why.reason or ""))
  values.cluster, values.container, values.exit_code = options.cluster, why.container, why.exit_code
  return values
end

--- What is explained: { id, arn, task_definition, status, created_at }.
function context.deployment(ev)
  local record, listed = ev.record or {}, ev.listed or {}
  return {
    id = ev.id, arn = record.service_deployment_arn, task_definition = ev.task_definition,
    status = record.status or listed.rollout_state, created_at = ev.created_at,
  }
end

return context
