--- Takes recorded repositories and images over. Layers are not recorded: an image can be described, listed and
-- run, its layers cannot be downloaded. Its configuration can, and tells the platform alone; its bytes are not those
-- of its digest.

local json = require "sim.json"
local manifests = require "sim.ecr.manifests"
local store = require "sim.ecr.store"
local util = require "sim.util"

local function add_repository(world, shown)
  local scanning = shown.image_scanning_configuration or {}
  local repository = store.create(world, shown.repository_name, {
    mutability = shown.image_tag_mutability, filters = util.copy(shown.image_tag_mutability_exclusion_filters),
    scan_on_push = scanning.scan_on_push, encryption = util.copy(shown.encryption_configuration),
  })
  repository.created_at = shown.created_at or repository.created_at
  return repository
end

-- Platforms by digest. An index names its own and those of its parts; an image of one platform does in its
-- configuration, which is not recorded.
local function platforms_named(repository, texts)
  local out = {}
  for digest, text in util.sorted_pairs(texts) do
    local read = manifests.read(text)
    if read and read.kind == "index" then
      out[digest] = manifests.platforms(repository, read)
      for _, part in ipairs(read.parts) do
        out[part.digest] = manifests.platforms(repository, { kind = "index", parts = { part } })
      end
    end
  end
  return out
end

-- The configuration of an image of one platform, for who looks there for the platform.
local function add_configuration(repository, document, platforms)
  local digest = type(document.config) == "table" and document.config.digest
  local os, architecture = platforms[1]:match("^(%w+)/(%w+)")
  if digest and not repository.blobs[digest] then
    local data = json.ordered { { "architecture", architecture }, { "os", os } }.json_text
    repository.blobs[digest] = { size = #data, data = data }
  end
end

local function add_image(repository, shown, text, platforms)
  local document = text and json.object_of(text) or {}
  repository.images[#repository.images + 1] = {
    digest = shown.image_digest, media_type = shown.image_manifest_media_type or document.mediaType,
    manifest = text or "", pushed_at = shown.image_pushed_at, size = shown.image_size_in_bytes,
    platforms = util.copy(platforms), artifact = shown.artifact_media_type,
    subject = shown.subject_manifest_digest, pulled_at = shown.last_recorded_pull_time,
  }
  add_configuration(repository, document, platforms)
  for _, tag in ipairs(shown.image_tags or {}) do
    repository.tags[tag] = shown.image_digest
  end
end

-- In the order in which they were pushed.
local function by_age(list)
  local out = table.move(list or {}, 1, #(list or {}), 1, {})
  table.sort(out, function(a, b)
    if a.image_pushed_at ~= b.image_pushed_at then
      return a.image_pushed_at < b.image_pushed_at
    end
    return a.image_digest < b.image_digest
  end)
  return out
end

--- Makes `recorded` part of the world: {repositories, images and manifests by repository, others = digests of
-- other registries' images by name}. `platforms_by_digest`: what images of one platform are taken to run on,
-- for those that have run; the others are taken to run on linux/amd64.
return function(world, recorded, platforms_by_digest)
  local state = world:state("ecr")
  for _, shown in ipairs(recorded.repositories or {}) do
    local repository = add_repository(world, shown)
    local texts = (recorded.manifests or {})[repository.name] or {}
    local named = platforms_named(repository, texts)
    for _, image in ipairs(by_age((recorded.images or {})[repository.name])) do
      local digest = image.image_digest
      local platforms = named[digest] or platforms_by_digest[digest] or { "linux/amd64" }
      add_image(repository, image, texts[digest], platforms)
    end
  end
  state.others = util.copy(recorded.others or {})
end
