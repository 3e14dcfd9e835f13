--- Operations on images: putting, listing, describing, reading and deleting them.

local facts = require "sim.facts.ecr"
local manifests = require "sim.ecr.manifests"
local scans = require "sim.ecr.scans"
local store = require "sim.ecr.store"
local util = require "sim.util"

local operations = {}

local codes = {
  manifest_invalid = "InvalidParameterException", digest_differs = "ImageDigestDoesNotMatchException",
  layers_missing = "LayersNotFoundException", children_missing = "ReferencedImagesNotFoundException",
  tag_exists = "ImageTagAlreadyExistsException", image_exists = "ImageAlreadyExistsException",
}

function operations.put_image(world, input)
  local repository = store.repository(world, input)
  local image, refusal, fresh = manifests.put(world, repository, {
    text = input.image_manifest, media_type = input.image_manifest_media_type,
    tag = input.image_tag, digest = input.image_digest,
  })
  if not image then
    world:fail(codes[refusal.kind], refusal.text)
  end
  if fresh then
    scans.pushed(world, repository, image)
  end
  return { image = {
    registry_id = world.data.account, repository_name = repository.name,
    image_id = { image_digest = image.digest, image_tag = input.image_tag },
    image_manifest = image.manifest, image_manifest_media_type = image.media_type,
  } }
end

-- ---- listing -------------------------------------------------------------------------------------

local function wanted(filter, tags)
  local status = filter and filter.tag_status or "ANY"
  return status == "ANY" or (status == "TAGGED") == (tags[1] ~= nil)
end

function operations.list_images(world, input)
  local repository, ids = store.repository(world, input), {}
  for _, image in ipairs(repository.images) do
    local tags = store.tags_of(repository, image)
    if wanted(input.filter, tags) then
      for _, tag in ipairs(tags) do
        ids[#ids + 1] = { image_digest = image.digest, image_tag = tag }
      end
      if not tags[1] then
        ids[#ids + 1] = { image_digest = image.digest }
      end
    end
  end
  local page, token = world:page(ids, input.next_token, input.max_results or facts.limits.page)
  return { image_ids = page, next_token = token }
end

local function detail(world, repository, image)
  local tags = store.tags_of(repository, image)
  return {
    registry_id = world.data.account, repository_name = repository.name, image_digest = image.digest,
    image_tags = tags[1] and tags or nil, image_size_in_bytes = image.size, image_pushed_at = image.pushed_at,
    image_scan_status = scans.status(image), image_scan_findings_summary = scans.summary(image),
    image_manifest_media_type = image.media_type, artifact_media_type = image.artifact,
    last_recorded_pull_time = image.pulled_at, subject_manifest_digest = image.subject, image_status = "ACTIVE",
  }
end

function operations.describe_images(world, input)
  local repository, details = store.repository(world, input), {}
  if input.image_ids and input.image_ids[1] then
    for index, id in ipairs(input.image_ids) do
      details[index] = detail(world, repository, store.required(world, repository, id))
    end
    return { image_details = details }
  end
  for _, image in ipairs(repository.images) do
    if wanted(input.filter, store.tags_of(repository, image)) then
      details[#details + 1] = detail(world, repository, image)
    end
  end
  local page, token = world:page(details, input.next_token, input.max_results or facts.limits.page)
  return { image_details = page, next_token = token }
end

function operations.list_image_referrers(world, input)
  local repository, list = store.repository(world, input), {}
  for _, image in ipairs(repository.images) do
    if image.subject == input.subject_id.image_digest then
      list[#list + 1] = {
        digest = image.digest, media_type = image.media_type, artifact_type = image.artifact,
        size = #image.manifest, artifact_status = "ACTIVE",
      }
    end
  end
  local page, token = world:page(list, input.next_token, input.max_results or 50)
  return { referrers = page, next_token = token }
end

-- ---- many at once --------------------------------------------------------------------------------

local reasons = {
  ImageNotFound = facts.texts.not_found,
  ImageTagDoesNotMatchDigest = "The given tag does not match the given digest", -- I
  MissingDigestAndTag = "Invalid request parameters: both tag and digest cannot be null", -- K
  ImageReferencedByManifestList = "Requested image referenced by manifest list: [%s]", -- K
}

local function failure(id, code, ...)
  return { image_id = util.copy(id), failure_code = code, failure_reason = reasons[code]:format(...) }
end

function operations.batch_get_image(world, input)
  local repository = store.repository(world, input)
  local images, failures = {}, {}
  for _, id in ipairs(input.image_ids) do
    local image, code = store.by_id(repository, id)
    if image then
      image.pulled_at = world:now()
      images[#images + 1] = {
        registry_id = world.data.account, repository_name = repository.name,
        image_id = { image_digest = image.digest, image_tag = id.image_tag },
        image_manifest = image.manifest, image_manifest_media_type = image.media_type,
      }
    else
      failures[#failures + 1] = failure(id, code)
    end
  end
  return { images = images, failures = failures }
end

-- The index that needs an image, or nil.
local function holder_of(repository, digest)
  for _, image in ipairs(repository.images) do
    if manifests.is_index(image.media_type) then
      for _, child in ipairs(manifests.read(image.manifest).parts) do
        if child.digest == digest then
          return image.digest
        end
      end
    end
  end
end

--- Takes an image out of a repository with all of its tags. Returns the ids that went.
local function remove(repository, image)
  local gone = {}
  for _, tag in ipairs(store.tags_of(repository, image)) do
    repository.tags[tag] = nil
    gone[#gone + 1] = { image_digest = image.digest, image_tag = tag }
  end
  local _, index = store.image(repository, image.digest)
  table.remove(repository.images, index)
  return gone[1] and gone or { { image_digest = image.digest } }
end

-- Deleting by tag takes the tag away; the image goes with its last one. By digest it goes at once.
local function delete_one(repository, id)
  local image, code = store.by_id(repository, id)
  if not image then
    return nil, failure(id, code)
  end
  local tags = store.tags_of(repository, image)
  if not id.image_digest and #tags > 1 then
    repository.tags[id.image_tag] = nil
    return { { image_digest = image.digest, image_tag = id.image_tag } }
  end
  local holder = holder_of(repository, image.digest)
  if holder then
    return nil, failure(id, "ImageReferencedByManifestList", holder)
  end
  return remove(repository, image)
end

function operations.batch_delete_image(world, input)
  local repository = store.repository(world, input)
  local ids, failures = {}, {}
  for _, id in ipairs(input.image_ids) do
    local gone, problem = delete_one(repository, id)
    for _, one in ipairs(gone or {}) do
      ids[#ids + 1] = one
    end
    failures[#failures + 1] = problem
  end
  return { image_ids = ids, failures = failures }
end

return { operations = operations, remove = remove }
