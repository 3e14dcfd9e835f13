--- Image manifests: reading them, and taking one into a repository by either of ECR's two doors (PutImage
-- and the registry's PUT).

local facts = require "sim.facts.ecr"
local json = require "sim.json"
local native = require "sim.native"
local store = require "sim.ecr.store"

local manifests = {}

local media = facts.media

local kinds = {
  [media.docker_manifest] = "image", [media.oci_manifest] = "image",
  [media.docker_list] = "index", [media.oci_index] = "index",
}

--- "sha256:..." of bytes.
function manifests.digest(bytes)
  return "sha256:" .. native.sha256(bytes)
end

--- Whether a media type is that of an index of other manifests.
function manifests.is_index(media_type)
  return kinds[media_type] == "index"
end

local function is_descriptor(value)
  return type(value) == "table" and type(value.digest) == "string"
end

local function descriptors(value)
  for _, item in ipairs(type(value) == "table" and value or {}) do
    if not is_descriptor(item) then
      return nil
    end
  end
  return type(value) == "table" and value or nil
end

-- A manifest without a media type of its own is told by its parts.
local function media_type_of(document, said)
  if type(document.mediaType) == "string" then
    return document.mediaType
  end
  return said and kinds[said] and said or (document.manifests and media.oci_index or media.oci_manifest)
end

--- Reads a manifest: {document, media_type, kind, parts}, or nil and the text of what is wrong.
function manifests.read(text, said)
  local document = json.object_of(text)
  if not document then
    return nil, facts.texts.manifest_invalid
  end
  local media_type = media_type_of(document, said)
  local kind = kinds[media_type]
  if not kind then
    return nil, facts.texts.manifest_type:format(media_type)
  end
  local parts = descriptors(kind == "index" and document.manifests or document.layers)
  if not parts or kind == "image" and not is_descriptor(document.config) then
    return nil, facts.texts.manifest_invalid
  end
  return { document = document, media_type = media_type, kind = kind, parts = parts }
end

-- Layers that live elsewhere (with urls) are not asked for.
local function missing_parts(repository, read)
  local missing = {}
  if read.kind == "index" then
    for _, child in ipairs(read.parts) do
      if not store.image(repository, child.digest) then
        missing[#missing + 1] = child.digest
      end
    end
    return missing
  end
  for index = 0, #read.parts do
    local part = index == 0 and read.document.config or read.parts[index]
    if not repository.blobs[part.digest] and not part.urls then
      missing[#missing + 1] = part.digest
    end
  end
  return missing
end

local function platform_text(os, architecture)
  if type(os) ~= "string" or type(architecture) ~= "string" or os == "unknown" then
    return nil
  end
  return os .. "/" .. architecture
end

--- What an image runs on: from its index, or from its configuration.
function manifests.platforms(repository, read)
  local list = {}
  if read.kind == "index" then
    for _, child in ipairs(read.parts) do
      local platform = type(child.platform) == "table" and child.platform or {}
      list[#list + 1] = platform_text(platform.os, platform.architecture)
    end
    return list
  end
  local blob = repository.blobs[read.document.config.digest]
  local config = blob and blob.data and json.object_of(blob.data) or {}
  return { platform_text(config.os, config.architecture) or "linux/amd64" }
end

local function size_of(repository, read)
  if read.kind == "index" then
    return nil
  end
  local size = 0
  for index = 0, #read.parts do
    local part = index == 0 and read.document.config or read.parts[index]
    local blob = repository.blobs[part.digest]
    size = size + (blob and blob.size or math.tointeger(part.size) or 0)
  end
  return size
end

local function new_image(world, repository, text, digest, read)
  local document = read.document
  local artifact = document.artifactType or read.kind == "image" and document.config.mediaType
  local image = {
    digest = digest, media_type = read.media_type, manifest = text, pushed_at = world:now(),
    size = size_of(repository, read), platforms = manifests.platforms(repository, read),
    artifact = type(artifact) == "string" and artifact or nil,
    subject = is_descriptor(document.subject) and document.subject.digest or nil,
  }
  repository.images[#repository.images + 1] = image
  return image
end

-- Why a tag cannot be set, or nil. ECR refuses a fixed tag even for the digest that it already has.
local function refuse_tag(world, repository, tag, digest, known)
  local held = repository.tags[tag]
  if held and store.is_fixed(repository, tag) then
    return { kind = "tag_exists", text = facts.texts.tag_exists:format(tag, repository.name) }
  elseif known and held == digest then
    return { kind = "image_exists", text = store.text(world, "image_exists", repository.name, digest, tag) }
  end
end

local function refuse_parts(world, repository, read)
  local missing = missing_parts(repository, read)
  if missing[1] then
    local key = read.kind == "index" and "children_missing" or "layers_missing"
    return { kind = key, text = store.text(world, key, repository.name, table.concat(missing, ", ")) }
  end
end

--- Takes a manifest. `options`: {text, media_type, tag, digest}. Returns the image, or nil and
-- {kind, text, image}: manifest_invalid, digest_differs, layers_missing, children_missing, tag_exists,
-- image_exists.
function manifests.put(world, repository, options)
  local read, problem = manifests.read(options.text, options.media_type)
  if not read then
    return nil, { kind = "manifest_invalid", text = problem }
  end
  local digest = manifests.digest(options.text)
  if options.digest and options.digest ~= digest then
    return nil, { kind = "digest_differs", text = facts.texts.digest_differs:format(digest, options.digest) }
  end
  local known = store.image(repository, digest)
  local refusal = options.tag and refuse_tag(world, repository, options.tag, digest, known)
    or refuse_parts(world, repository, read)
  if known and not options.tag and not refusal then
    local text = store.text(world, "image_exists", repository.name, digest, "null")
    refusal = { kind = "image_exists", text = text }
  end
  if refusal then
    refusal.image = known
    return nil, refusal
  end
  local image = known or new_image(world, repository, options.text, digest, read)
  if options.tag then
    repository.tags[options.tag] = digest
  end
  return image, nil, not known
end

-- ---- images that nobody pushed -------------------------------------------------------------------

-- A gzipped empty tar: the smallest layer that clients can pull and unpack.
local empty_layer = string.char(31, 139, 8, 0, 0, 9, 110, 136, 0, 255, 98, 24, 5, 163, 96, 20, 140, 88, 0, 8, 0, 0,
  255, 255, 46, 175, 181, 239, 0, 4, 0, 0)
local empty_tar = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"

local function keep_blob(repository, bytes)
  local digest = manifests.digest(bytes)
  repository.blobs[digest] = repository.blobs[digest] or { size = #bytes, data = bytes }
  return digest
end

local function manifest_text(repository, platform, seed)
  local os, architecture = platform:match("^(%w+)/([%w/]+)$")
  local config = json.ordered {
    { "architecture", architecture }, { "os", os },
    { "config", json.ordered { { "Labels", json.ordered { { "simulated", seed } } } } },
    { "rootfs", json.ordered { { "type", "layers" }, { "diff_ids", { empty_tar } } } },
  }.json_text
  return json.ordered {
    { "schemaVersion", 2 }, { "mediaType", media.oci_manifest },
    { "config", json.ordered {
      { "mediaType", media.oci_config }, { "digest", keep_blob(repository, config) }, { "size", #config },
    } },
    { "layers", { json.ordered {
      { "mediaType", media.oci_layer }, { "digest", keep_blob(repository, empty_layer) }, { "size", #empty_layer },
    } } },
  }.json_text
end

--- Puts an image there as if it had been pushed. `options`: {tag, platforms, seed}: the same platforms and
-- seed give the same digest. Tags are moved, fixed or not: this is the world, not a client.
function manifests.make(world, repository, options)
  local platforms = options.platforms or { "linux/amd64" }
  local children, image = {}, nil
  for index, platform in ipairs(platforms) do
    local text = manifest_text(repository, platform, options.seed)
    local digest = manifests.digest(text)
    image = store.image(repository, digest)
      or new_image(world, repository, text, digest, manifests.read(text))
    local os, architecture = platform:match("^(%w+)/([%w/]+)$")
    children[index] = json.ordered {
      { "mediaType", media.oci_manifest }, { "digest", digest }, { "size", #text },
      { "platform", json.ordered { { "architecture", architecture }, { "os", os } } },
    }
  end
  if #platforms > 1 then
    local text = json.ordered {
      { "schemaVersion", 2 }, { "mediaType", media.oci_index }, { "manifests", children },
    }.json_text
    local digest = manifests.digest(text)
    image = store.image(repository, digest)
      or new_image(world, repository, text, digest, manifests.read(text))
  end
  if options.tag then
    repository.tags[options.tag] = image.digest
  end
  return image
end

return manifests
