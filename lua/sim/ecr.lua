--- Elastic Container Registry: repositories, images, layers, scans, lifecycle, and the registry's HTTP door.

local base64 = require "sim.base64"
local facts = require "sim.facts.ecr"
local images = require "sim.ecr.images"
local layers = require "sim.ecr.layers"
local lifecycle = require "sim.ecr.lifecycle"
local manifests = require "sim.ecr.manifests"
local native = require "sim.native"
local registry = require "sim.ecr.registry"
local repositories = require "sim.ecr.repositories"
local scans = require "sim.ecr.scans"
local store = require "sim.ecr.store"
local util = require "sim.util"

local ecr = { operations = {}, handlers = {} }

for _, part in ipairs { { operations = repositories }, images, layers, lifecycle, scans } do
  for name, operation in util.sorted_pairs(part.operations) do
    ecr.operations[name] = operation
  end
  for name, handler in util.sorted_pairs(part.handlers or {}) do
    ecr.handlers[name] = handler
  end
end

function ecr.init(_, state)
  state.repositories = {}
  state.built = {} -- names by digest
  state.settings = {}
end

function ecr.operations.get_authorization_token(world)
  local expires = world:now() + facts.durations.token
  return { authorization_data = { {
    authorization_token = base64.encode("AWS:" .. registry.password(world, expires)), expires_at = expires,
    proxy_endpoint = "https://" .. store.host(world),
  } } }
end

--- Answers a request to the registry: see sim.ecr.registry.
ecr.http = registry.http

-- ---- what runs where -----------------------------------------------------------------------------

--- Splits "HOST/NAME:TAG@DIGEST" into its parts; the host is nil for names of the public hub.
function ecr.parse(image)
  local rest, digest = image:match("^(.-)@(.+)$")
  rest = rest or image
  local path, tag = rest:match("^(.*):([^/:]+)$")
  path = path or rest
  local first, name = path:match("^([^/]+)/(.+)$")
  local host = first and (first:find("[.:]") or first == "localhost") and first or nil
  return { host = host, name = host and name or path, tag = tag or not digest and "latest" or nil, digest = digest }
end

-- Images of other registries are there, whatever they are called, unless the scenario says otherwise. What a
-- recorded one meant it still means.
local function resolve_public(world, image, parsed)
  local recorded = (world:state("ecr").others or {})[image]
  local digest = parsed.digest or recorded or "sha256:" .. native.sha256(("%s %s"):format(world.data.account, image))
  return { digest = digest, platforms = util.copy(facts.public_platforms) }
end

--- What an image reference means now: {digest, platforms}, or nil and "missing" (no such tag, digest or
-- repository) or "denied".
function ecr.resolve(world, image)
  local faults = require "sim.faults"
  local missing = faults.get(world, "image_missing", image)
  if missing then
    return nil, missing == "denied" and "denied" or "missing"
  end
  local parsed = ecr.parse(image)
  local resolved
  if parsed.host == store.host(world) then
    local repository = store.find(world, parsed.name)
    local found = repository and store.by_reference(repository, parsed.digest or parsed.tag)
    if not found then
      return nil, "missing"
    end
    resolved = { digest = found.digest, platforms = util.copy(found.platforms) }
  else
    resolved = resolve_public(world, image, parsed)
  end
  resolved.platforms = util.copy(faults.get(world, "architecture", image) or resolved.platforms)
  return resolved
end

--- Puts an image into the registry as if somebody had pushed it, and its repository when there is none.
-- `options`: {repository, tag, platforms = {"linux/amd64"}, seed}; the same seed and platforms are the
-- same image. Returns its digest.
function ecr.add_image(world, options)
  local repository = store.find(world, options.repository) or store.create(world, options.repository, {})
  local image = manifests.make(world, repository, {
    tag = options.tag, platforms = options.platforms,
    seed = options.seed or ("%s:%s"):format(options.repository, options.tag or ""),
  })
  scans.pushed(world, repository, image)
  world:state("ecr").built[image.digest] = ("%s:%s"):format(options.repository, options.tag or "")
  return image.digest
end

--- What an image was called when the scenario built it, whatever its tags mean now; nil for others.
function ecr.built_as(world, digest)
  return world:state("ecr").built[digest]
end

--- Takes an image out of the registry, as lifecycle would. `reference`: a tag or a digest. False when it is
-- not there.
function ecr.remove_image(world, repository_name, reference)
  local repository = store.find(world, repository_name)
  local image = repository and store.by_reference(repository, reference)
  if not image then
    return false
  end
  images.remove(repository, image)
  return true
end

return ecr
