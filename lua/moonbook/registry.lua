--- Asking ECR which image a reference means.
--
-- Uses: ecr.describe_images.

local images = require "moonbook.images"
local patience = require "moonbook.patience"

local registry = {}

local function details(parts, id)
  local answer, err = patience.attempt(ecr.describe_images, {
    registry_id = parts.account, repository_name = parts.repository, image_ids = { id },
  })
  if answer then
    return answer.image_details[1]
  elseif err.code == "ImageNotFoundException" or err.code == "RepositoryNotFoundException" then
    return nil, err.message
  end
  error(err, 0)
end

--- Whether the registry of a reference is ECR, which can be asked.
function registry.can_ask(reference)
  return images.parse(reference).account ~= nil
end

--- The digest that a reference means now. nil and a sentence when ECR has no such image; nil alone when its
-- registry cannot be asked.
function registry.digest(reference)
  local parts = images.parse(reference)
  if not parts.account then
    return parts.digest
  end
  local found, why = details(parts, parts.digest and { image_digest = parts.digest } or { image_tag = parts.tag })
  return found and found.image_digest, why
end

--- Whether the registry still has the image of this digest in the reference's repository: true, false, or
-- nil when it cannot be asked.
function registry.has(reference, digest)
  local parts = images.parse(reference)
  if not parts.account then
    return nil
  end
  return details(parts, { image_digest = digest }) ~= nil
end

--- The digests of all images of a task definition that can be known, { container name = digest }; nil and a
-- sentence when one of them is not there.
function registry.digests(definition)
  local digests, missing = {}, nil
  each(definition.container_definitions, function(container)
    local digest, why = registry.digest(container.image)
    digests[container.name] = digest
    if why then
      missing = ("%s: %s"):format(images.short(container.image), why)
    end
  end)
  if missing then
    return nil, missing
  end
  return digests
end

return registry
