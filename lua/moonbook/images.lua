--- References to container images: their parts, and putting one into a task definition.
--
-- Only reads what it is given; calls nothing.

local images = {}

-- The registry's host as ECR writes it: both its names, FIPS or not.
local function ecr_host(host)
  local account, region = host:match("^(%d+)%.dkr%.ecr%.([%w-]+)%.amazonaws%.com")
  if not account then
    account, region = host:match("^(%d+)%.dkr%.ecr%-fips%.([%w-]+)%.amazonaws%.com")
  end
  if not account then
    account, region = host:match("^(%d+)%.dkr%-ecr[%w-]*%.([%w-]+)%.on%.")
  end
  return account, region
end

--- The parts of "HOST/REPOSITORY:TAG@DIGEST", a table: `host` (nil: the public hub), `repository`, `tag`
-- ("latest" when neither tag nor digest is named), `digest`, and of a registry of ECR `account` and `region`.
function images.parse(reference)
  local rest, digest = reference:match("^(.-)@(.+)$")
  rest = rest or reference
  local path, tag = rest:match("^(.*):([^/:]+)$")
  path = path or rest
  local first, name = path:match("^([^/]+)/(.+)$")
  local host = first and (first:find("[.:]") or first == "localhost") and first or nil
  local parts = {
    host = host,
    repository = host and name or path,
    tag = tag or not digest and "latest" or nil,
    digest = digest,
  }
  if host then
    parts.account, parts.region = ecr_host(host)
  end
  return parts
end

--- "REPOSITORY:TAG" or "REPOSITORY@sha256:0123456789ab": a reference as people say it, without the registry.
function images.short(reference)
  local parts = images.parse(reference)
  if parts.digest then
    return ("%s@%s"):format(parts.repository, images.short_digest(parts.digest))
  end
  return ("%s:%s"):format(parts.repository, parts.tag)
end

--- "sha256:0123456789ab" of a whole digest.
function images.short_digest(digest)
  return digest:sub(1, #"sha256:" + 12)
end

--- The same repository's image with this digest, whatever tag a reference names.
function images.by_digest(reference, digest)
  local parts = images.parse(reference)
  return ("%s%s@%s"):format(parts.host and parts.host .. "/" or "", parts.repository, digest)
end

--- The full reference of what an operator types, by the image that the container has now:
-- a full one is taken as it is; "REPOSITORY:TAG" is in the same registry; "TAG" and "sha256:..." are of
-- the same repository.
function images.resolve(typed, present)
  local now = images.parse(present)
  local registry = now.host and now.host .. "/" or ""
  if typed:find("^@?sha256:%x+$") then
    return ("%s%s@%s"):format(registry, now.repository, (typed:gsub("^@", "")))
  elseif not typed:find("[/:@]") then
    return ("%s%s:%s"):format(registry, now.repository, typed)
  elseif images.parse(typed).host then
    return typed
  end
  return registry .. typed
end

-- The container that an image is meant for, or nil and why it cannot be told.
local function container_for(definition, name, balanced)
  local names, only = {}, #definition.container_definitions == 1
  for index, container in ipairs(definition.container_definitions) do
    names[index] = container.name
    if container.name == (name or balanced) or only and not name then
      return container
    end
  end
  local list = table.concat(names, ", ")
  if name then
    return nil, ("The task definition has no container %s; it has %s."):format(name, list)
  end
  return nil, ("Which container is the image for? Say --container; there are %s."):format(list)
end

local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  local out = {}
  for key, item in pairs(value) do
    out[key] = copy(item)
  end
  return out
end

--- A copy of a task definition with another image in one container. `options`:
--   image      what the operator typed, see images.resolve
--   container  the container's name; when absent the one there is, or `balanced`
--   balanced   the container that the load balancer sends to
-- Gives the copy and the container's name, or nil and a sentence.
function images.put(definition, options)
  local changed = copy(definition)
  local container, why = container_for(changed, options.container, options.balanced)
  if not container then
    return nil, why
  end
  container.image = images.resolve(options.image, container.image)
  return changed, container.name
end

return images
