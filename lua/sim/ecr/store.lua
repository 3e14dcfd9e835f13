--- The repositories of the registry and what all of ECR asks of them: finding one, its images, its tags.

local facts = require "sim.facts.ecr"
local util = require "sim.util"

local store = {}

--- "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
function store.host(world)
  return ("%s.dkr.ecr.%s.amazonaws.com"):format(world.data.account, world.data.region)
end

--- A text of the facts about one repository: the name and the registry's id come last.
function store.text(world, key, name, ...)
  local values = { ... }
  values[#values + 1] = name
  values[#values + 1] = world.data.account
  return facts.texts[key]:format(table.unpack(values))
end

--- The repository of that name, or nil.
function store.find(world, name)
  return world:state("ecr").repositories[name]
end

--- The repository that an operation's input names; fails when there is none.
function store.repository(world, input)
  local name = input.repository_name
  local foreign = input.registry_id and input.registry_id ~= world.data.account
  local repository = not foreign and store.find(world, name)
  if not repository then
    world:fail("RepositoryNotFoundException",
      facts.texts.repository_missing:format(name, input.registry_id or world.data.account))
  end
  return repository
end

local function is_name_part(part)
  -- Runs of letters and digits with one dot, underscore or dash between them.
  return part:find("^[a-z0-9][a-z0-9._-]*$") and part:find("[a-z0-9]$") and not part:find("[._-][._-]")
end

--- Whether a text may be a repository's name.
function store.is_name(name)
  if #name < 2 or #name > 256 or name:find("//", 1, true) or name:find("/$") then
    return false
  end
  for part in name:gmatch("[^/]+") do
    if not is_name_part(part) then
      return false
    end
  end
  return name:sub(1, 1) ~= "/"
end

--- Makes a repository. `options`: mutability, filters, scan_on_push, encryption, tags.
function store.create(world, name, options)
  local repository = {
    name = name, created_at = world:now(), mutability = options.mutability or "MUTABLE",
    filters = options.filters or {}, scan_on_push = options.scan_on_push or false,
    encryption = options.encryption or { encryption_type = "AES256" }, resource_tags = options.tags or {},
    images = {}, tags = {}, blobs = {}, uploads = {},
  }
  world:state("ecr").repositories[name] = repository
  return repository
end

--- A repository as the API shows it.
function store.shown(world, repository)
  return {
    repository_arn = world:arn("ecr", "repository/" .. repository.name), registry_id = world.data.account,
    repository_name = repository.name, repository_uri = store.host(world) .. "/" .. repository.name,
    created_at = repository.created_at, image_tag_mutability = repository.mutability,
    image_tag_mutability_exclusion_filters = repository.filters[1] and util.copy(repository.filters) or nil,
    image_scanning_configuration = { scan_on_push = repository.scan_on_push },
    encryption_configuration = util.copy(repository.encryption),
  }
end

--- The image of a digest, or nil, and its place.
function store.image(repository, digest)
  for index, image in ipairs(repository.images) do
    if image.digest == digest then
      return image, index
    end
  end
end

--- The image of a tag or digest ("v1", "sha256:..."), or nil.
function store.by_reference(repository, reference)
  return store.image(repository, repository.tags[reference] or reference)
end

--- The image of an {image_digest, image_tag}, or nil and the failure code.
function store.by_id(repository, id)
  if not id.image_digest and not id.image_tag then
    return nil, "MissingDigestAndTag"
  end
  local digest = id.image_tag and repository.tags[id.image_tag] or id.image_digest
  if id.image_tag and not repository.tags[id.image_tag] then
    return nil, "ImageNotFound"
  elseif id.image_digest and id.image_digest ~= digest then
    return nil, "ImageTagDoesNotMatchDigest"
  end
  local image = store.image(repository, digest)
  if not image then
    return nil, "ImageNotFound"
  end
  return image
end

--- The image that an operation names; fails when there is none.
function store.required(world, repository, id)
  local image = store.by_id(repository, id)
  if not image then
    world:fail("ImageNotFoundException", store.text(world, "image_missing", repository.name,
      id.image_digest or "null", id.image_tag or "null"))
  end
  return image
end

--- The tags of an image, in order.
function store.tags_of(repository, image)
  local tags = {}
  for tag, digest in util.sorted_pairs(repository.tags) do
    if digest == image.digest then
      tags[#tags + 1] = tag
    end
  end
  return tags
end

--- Whether a text fits a pattern in which * stands for any text.
function store.fits(text, pattern)
  local plain = pattern:gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub("%*", ".*")
  return text:find("^" .. plain .. "$") ~= nil
end

--- Whether a tag may not be moved.
function store.is_fixed(repository, tag)
  local listed = false
  for _, filter in ipairs(repository.filters) do
    listed = listed or store.fits(tag, filter.filter)
  end
  local immutable = repository.mutability:find("^IMMUTABLE") ~= nil
  return immutable ~= (listed and repository.mutability:find("EXCLUSION") ~= nil)
end

return store
