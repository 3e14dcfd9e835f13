--- Task definitions: reading one, and what would register a copy of it.
--
-- Uses: ecs.describe_task_definition.

local images = require "moonbook.images"
local patience = require "moonbook.patience"

local task_definitions = {}

-- What RegisterTaskDefinition takes of what DescribeTaskDefinition gives; the rest is ECS's own to say.
local REGISTERED = {
  "family", "task_role_arn", "execution_role_arn", "network_mode", "container_definitions", "volumes",
  "placement_constraints", "requires_compatibilities", "cpu", "memory", "pid_mode", "ipc_mode", "proxy_configuration",
  "inference_accelerators", "ephemeral_storage", "runtime_platform", "enable_fault_injection",
}

--- A task definition as DescribeTaskDefinition gives it, with its tags in `tags`. nil and a sentence when
-- there is none of that name.
function task_definitions.read(name)
  local answer, err = patience.attempt(ecs.describe_task_definition, { task_definition = name, include = { "TAGS" } })
  if answer then
    local definition = answer.task_definition
    definition.tags = answer.tags
    return definition
  elseif err.code == "ClientException" then
    return nil, ("There is no task definition %s (%s)."):format(name:match("([^/]+)$"), err.message)
  end
  error(err, 0)
end

-- Tags that are not for a copy: AWS refuses to be given its own, and what a run noted of a revision is not true
-- of another one.
local function tags_for_copy(tags)
  local kept = {}
  for _, tag in ipairs(tags or {}) do
    if not tag.key:find("^aws:") and not tag.key:find("^moonbook:") then
      kept[#kept + 1] = tag
    end
  end
  return #kept > 0 and kept or nil -- an empty list is refused
end

--- What would register the same again: a new table.
function task_definitions.registration(definition)
  local input = {}
  for _, field in ipairs(REGISTERED) do
    input[field] = definition[field]
  end
  input.tags = tags_for_copy(definition.tags)
  return input
end

--- A copy of a registration whose images are named by these digests, { container name = digest }.
function task_definitions.pinned(input, digests)
  local copy = {}
  for name, value in pairs(input) do
    copy[name] = value
  end
  copy.container_definitions = {}
  for index, container in ipairs(input.container_definitions) do
    local pinned = {}
    for name, value in pairs(container) do
      pinned[name] = value
    end
    local digest = digests[container.name]
    pinned.image = digest and images.by_digest(container.image, digest) or container.image
    copy.container_definitions[index] = pinned
  end
  return copy
end

return task_definitions
