--- The images that a service runs or ran: those in the account's own registry with what ECR says of them,
-- and what the others' tags meant when tasks pulled them.

local lists = require "lib.lists"

local images = {}

local manifest_types = {
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
}

-- ---- what is named -------------------------------------------------------------------------------

-- Every {image, image_digest} of definitions, revisions and tasks; the digest may be nil.
local function named(world)
  local out = {}
  for _, found in ipairs(world.task_definitions) do
    for _, container in ipairs(found.task_definition.container_definitions or {}) do
      out[#out + 1] = { image = container.image }
    end
  end
  for _, revision in ipairs(world.service_revisions) do
    for _, container in ipairs(revision.container_images or {}) do
      out[#out + 1] = container
    end
  end
  for _, task in ipairs(world.tasks) do
    for _, container in ipairs(task.containers or {}) do
      out[#out + 1] = container
    end
  end
  return out
end

-- Host, repository, tag and digest of "HOST/NAME:TAG@DIGEST".
local function parse(image)
  local rest, digest = image:match("^(.-)@(.+)$")
  rest = rest or image
  local path, tag = rest:match("^(.*):([^/:]+)$")
  path = path or rest
  local host, name = path:match("^([^/]+)/(.+)$")
  return host, name, tag or (not digest and "latest") or nil, digest
end

-- What to ask ECR for, by repository, and the images of other registries with their digests.
local function sorted(list, own)
  local wanted, others = {}, {}
  for _, item in ipairs(list) do
    local host, name, tag, digest = parse(item.image or "")
    if host and host:find(own, 1, true) == 1 then
      local asked = wanted[name] or { tags = {}, digests = {} }
      wanted[name] = asked
      asked.tags[tag or false] = true
      asked.digests[item.image_digest or digest or false] = true
    elseif item.image and item.image_digest then
      others[item.image] = item.image_digest
    end
  end
  return wanted, others
end

-- ---- asking ECR ----------------------------------------------------------------------------------

local function ids_of(asked)
  local ids = {}
  for tag in pairs(asked.tags) do
    ids[#ids + 1] = tag and { image_tag = tag } or nil
  end
  for digest in pairs(asked.digests) do
    ids[#ids + 1] = digest and { image_digest = digest } or nil
  end
  return ids
end

-- Puts manifests into `out` by digest. What is not there any more is noted by ECR's reason.
local function read_manifests(reader, out, name, ids)
  local found = reader:gather(lists.parts(ids, 100), "images", "images of " .. name, ecr.batch_get_image, function(part)
    return { repository_name = name, image_ids = part, accepted_media_types = manifest_types }
  end)
  for _, image in ipairs(found) do
    out[image.image_id.image_digest] = image.image_manifest
  end
end

-- The images that an index among the manifests is made of, as ids.
local function parts_of(manifests)
  local ids = {}
  for _, text in pairs(manifests) do
    for _, part in ipairs(json.decode(text).manifests or {}) do
      ids[#ids + 1] = not manifests[part.digest] and { image_digest = part.digest } or nil
    end
  end
  return ids
end

-- Manifests by digest; those of an index with those that it names.
local function manifests_of(reader, name, ids)
  local out = {}
  read_manifests(reader, out, name, ids)
  read_manifests(reader, out, name, parts_of(out))
  return out
end

-- One image that is not there is an error of the whole call, so only those are asked for together that are.
local function details_of(reader, name, manifests)
  local ids = {}
  for digest in pairs(manifests) do
    ids[#ids + 1] = { image_digest = digest }
  end
  return reader:gather(lists.parts(ids, 100), "image_details", "images of " .. name, ecr.describe_images, function(part)
    return { repository_name = name, image_ids = part }
  end)
end

-- Without their manifests, images are asked for one by one.
local function details_one_by_one(reader, name, ids)
  local out, seen = {}, {}
  local found = reader:gather(ids, "image_details", "an image of " .. name, ecr.describe_images, function(id)
    return { repository_name = name, image_ids = { id } }
  end)
  for _, detail in ipairs(found) do
    out[#out + 1] = not seen[detail.image_digest] and detail or nil
    seen[detail.image_digest] = true
  end
  return out
end

local function read_repository(reader, out, name, asked)
  local answer = reader:read("repository " .. name, ecr.describe_repositories, { repository_names = { name } })
  if not answer then
    return
  end
  table.insert(out.repositories, answer.repositories[1])
  local ids = ids_of(asked)
  local manifests = manifests_of(reader, name, ids)
  out.manifests[name] = manifests
  local none = next(manifests) == nil
  out.images[name] = none and details_one_by_one(reader, name, ids) or details_of(reader, name, manifests)
end

--- What ECR says of the images that `world` names ({task_definitions, service_revisions, tasks}):
-- {repositories, images and manifests by repository, others = digests of other registries' images}.
-- `account`, `region`: whose registry can be asked.
function images.read(reader, world, account, region)
  local wanted, others = sorted(named(world), ("%s.dkr.ecr.%s."):format(account, region))
  local out = { repositories = {}, images = {}, manifests = {}, others = others }
  local names = {}
  for name in pairs(wanted) do
    names[#names + 1] = name
  end
  each(names, function(name)
    read_repository(reader, out, name, wanted[name])
  end)
  table.sort(out.repositories, function(a, b)
    return a.repository_name < b.repository_name
  end)
  return out
end

return images
