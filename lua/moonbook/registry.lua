--- Asking ECR which image a reference means.
--
-- `region` is that of the run: a registry of another region, or that is not ECR's, cannot be asked.
--
-- Uses: ecr.describe_images.

local images = require "moonbook.images"
local patience = require "moonbook.patience"

local registry = {}

-- The image, or nil and why it is not there, or nil, nil and why that could not be read.
local function details(parts, id)
  local answer, err = patience.attempt(ecr.describe_images, {
    registry_id = parts.account, repository_name = parts.repository, image_ids = { id },
  })
  if answer then
    return answer.image_details[1]
  elseif err.code == "ImageNotFoundException" or err.code == "RepositoryNotFoundException" then
    return nil, err.message
  elseif err.kind == "denied" then
    return nil, nil, "could not be read (denied: ecr:DescribeImages)"
  end
  error(err, 0)
end

--- The region of an ARN.
function registry.region(arn)
  return arn:match("^arn:[^:]*:[^:]*:([^:]*):")
end

--- Whether the registry of a reference can be asked.
function registry.can_ask(reference, region)
  local parts = images.parse(reference)
  return parts.account ~= nil and parts.region == region
end

--- The digest that a reference means now. nil and a sentence when ECR has no such image; nil, nil and why, when
-- it could not be read; nil alone when its registry cannot be asked.
function registry.digest(reference, region)
  local parts = images.parse(reference)
  if not registry.can_ask(reference, region) then
    return parts.digest
  end
  local found, why, unread =
    details(parts, parts.digest and { image_digest = parts.digest } or { image_tag = parts.tag })
  return found and found.image_digest, why, unread
end

--- What became of the image that a reference once meant: "same" (it still means it), "moved" (it is there, under
-- no name or another one), "gone", "unread" (denied) or "unknown" (its registry cannot be asked).
function registry.fate(reference, digest, region)
  local parts = images.parse(reference)
  if parts.digest == digest and not registry.can_ask(reference, region) then
    return "same"
  elseif not registry.can_ask(reference, region) then
    return "unknown"
  end
  local found, _, unread = details(parts, { image_digest = digest })
  if not found then
    return unread and "unread" or "gone"
  end
  return (parts.digest or registry.digest(reference, region)) == digest and "same" or "moved"
end

--- The digests of all images of a task definition that can be known, { container name = digest }, and a list of
-- those that are not in ECR: { container, reference, why }.
function registry.digests(definition)
  local region = registry.region(definition.task_definition_arn)
  local digests, missing = {}, {}
  each(definition.container_definitions, function(container)
    local digest, why = registry.digest(container.image, region)
    digests[container.name] = digest
    if why then
      missing[#missing + 1] = { container = container.name, reference = container.image, why = why }
    end
  end)
  return digests, missing
end

return registry
