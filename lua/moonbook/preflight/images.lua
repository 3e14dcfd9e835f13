--- Images: whether the registry has them, for which processors, and whether their tags mean what runs now.
-- Uses: ecr.batch_get_image, where one is missing ecr.describe_pull_through_cache_rules,
-- ecr.get_download_url_for_layer, http.get of the registry's storage
-- (*.amazonaws.com), ecs.describe_service_revisions.
--
-- ECR counts BatchGetImage as a pull in last_recorded_pull_time.

local images = require "moonbook.images"

local subject = {}

-- Without these ECR gives no index.
local MEDIA_TYPES = {
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
}

-- Whether this run can ask the image's registry: ECR's, of the service's region.
local function is_near(pass, parts)
  return parts.account ~= nil and parts.region == pass.region
end

-- ---- reading: manifests --------------------------------------------------------------------------

-- The images to ask for, by repository, a list of { registry, repository, references, ids }.
local function repositories(pass)
  local list, known, asked = {}, {}, {}
  for _, container in ipairs(pass.definition.container_definitions) do
    local parts = images.parse(container.image)
    if is_near(pass, parts) and not asked[container.image] then
      asked[container.image] = true
      local key = parts.account .. "/" .. parts.repository
      if not known[key] then
        known[key] = { registry = parts.account, repository = parts.repository, references = {}, ids = {} }
        list[#list + 1] = known[key]
      end
      local entry = known[key]
      entry.references[#entry.references + 1] = container.image
      entry.ids[#entry.ids + 1] = parts.digest and { image_digest = parts.digest } or { image_tag = parts.tag }
    end
  end
  return list
end

local function of_id(list, id)
  for _, image in ipairs(list or {}) do
    local is = image.image_id
    if id.image_digest and is.image_digest == id.image_digest or id.image_tag and is.image_tag == id.image_tag then
      return image
    end
  end
end

-- Why ECR did not give an image: its own code unless it is just not there.
local function failure_of(answer, id)
  for _, failure in ipairs(answer and answer.failures or {}) do
    local of = failure.image_id or {}
    if of.image_digest == id.image_digest and of.image_tag == id.image_tag then
      return failure.failure_code ~= "ImageNotFound" and failure.failure_code or nil
    end
  end
end

-- Adds { digest, manifest }, { missing = why } or { denied = true } for each reference of a repository to `found`.
local function read_repository(found, entry)
  local answer, err = attempt(ecr.batch_get_image, {
    registry_id = entry.registry,
    repository_name = entry.repository,
    image_ids = entry.ids,
    accepted_media_types = MEDIA_TYPES,
  })
  local no_repository = err and err.code == "RepositoryNotFoundException"
  local denied = err and err.kind == "denied"
  if err and not no_repository and not denied then
    -- Images that are not there are raised, with those that are in the answer.
    answer = err.output or error(err, 0)
  end
  for index, id in ipairs(entry.ids) do
    local image = answer and of_id(answer.images, id)
    found[entry.references[index]] = image
        and { digest = image.image_id.image_digest, manifest = image.image_manifest, repository = entry }
      or denied and { denied = true }
      or { missing = no_repository and ("there is no repository %s"):format(entry.repository)
        or failure_of(answer, id)
        or "no such image" }
  end
end

-- Images that are not there yet may be fetched by ECR when they are first pulled: marks those so. Where the
-- rules for that may not be read, an image that is not there counts as missing: few registries have any.
local function mark_cached(found)
  local absent = {}
  for reference, image in pairs(found) do
    absent[#absent + 1] = image.missing and reference or nil
  end
  if #absent == 0 then
    return
  end
  local answer, err = attempt(all, ecr.describe_pull_through_cache_rules, {})
  if err and err.kind ~= "denied" then
    error(err, 0)
  end
  for _, reference in ipairs(absent) do
    local repository = images.parse(reference).repository
    for _, rule in ipairs(answer and answer.pull_through_cache_rules or {}) do
      local prefix = rule.ecr_repository_prefix
      if prefix == "ROOT" or repository:sub(1, #prefix + 1) == prefix .. "/" then
        found[reference].upstream = rule.upstream_registry_url or prefix
      end
    end
  end
end

-- What the tasks of now run: digest by the reference that their container has.
local function read_running(pass)
  local revisions = pass.service.current_service_revisions or {}
  if #revisions ~= 1 then
    return -- none is said, or a deployment is under way
  end
  pass:read("running_images", "ecs:DescribeServiceRevisions", function()
    local answer = ecs.describe_service_revisions { service_revision_arns = { revisions[1].arn } }
    local digests = {}
    for _, image in ipairs((answer.service_revisions or {})[1].container_images or {}) do
      digests[image.container_name] = { reference = image.image, digest = image.image_digest }
    end
    return digests
  end)
end

function subject.read(pass)
  together {
    function()
      local found = {}
      pass.seen.images = found
      each(repositories(pass), function(entry)
        read_repository(found, entry)
      end)
      mark_cached(found)
    end,
    function()
      read_running(pass)
    end,
  }
end

-- ---- reading: platforms --------------------------------------------------------------------------

local function decoded(text)
  local value = attempt(json.decode, text)
  return type(value) == "table" and value or nil
end

-- "linux/arm64"; nil when the image does not say (attestations say "unknown").
local function platform_text(os, architecture)
  if type(os) == "string" and type(architecture) == "string" and os ~= "unknown" then
    return os .. "/" .. architecture
  end
end

local function platforms_of_index(manifest)
  local list = {}
  for _, entry in ipairs(manifest.manifests) do
    local platform = type(entry.platform) == "table" and entry.platform or {}
    list[#list + 1] = platform_text(platform.os, platform.architecture)
  end
  return list
end

-- Failures of http.get that only mean that the configuration cannot be had from here, by their kind.
local unfetched = {
  network = "no connection",
  timeout = "no answer in time",
  refused = "the manifest's `hosts` does not name it",
}

-- The platform of an image that is none of several stands in its configuration, which the registry keeps
-- as a layer. Gives a list, or nil and why it is not known. The address is signed: it must not be shown.
local function platforms_of_config(image, manifest)
  local answer, err = attempt(ecr.get_download_url_for_layer, {
    registry_id = image.repository.registry,
    repository_name = image.repository.repository,
    layer_digest = manifest.config.digest,
  })
  if not answer then
    if err.kind ~= "denied" then
      error(err, 0)
    end
    return nil, "its configuration could not be read (denied: ecr:GetDownloadUrlForLayer)"
  end
  local page, trouble = attempt(http.get, { url = answer.download_url, timeout = "10s" })
  if trouble and not unfetched[trouble.kind] then
    error(trouble, 0)
  end
  if not page or page.status ~= 200 then
    return nil,
      ("its configuration could not be fetched from the registry's storage (%s)"):format(
        page and ("status %d"):format(page.status) or unfetched[trouble.kind]
      )
  end
  local config = not page.truncated and decoded(page.body) or {}
  local platform = platform_text(config.os, config.architecture)
  if not platform then
    return nil, "its configuration names no platform"
  end
  return { platform }
end

local function read_platforms(image)
  local manifest = decoded(image.manifest)
  if manifest and type(manifest.manifests) == "table" then
    image.platforms = platforms_of_index(manifest)
  elseif manifest and type(manifest.config) == "table" and type(manifest.config.digest) == "string" then
    image.platforms, image.unknown = platforms_of_config(image, manifest)
  else
    image.unknown = "its manifest is of a kind that is not known"
  end
end

function subject.read_more(pass)
  local list, known = {}, {}
  for _, reference in ipairs(subject.references(pass)) do
    local image = pass:get("images")[reference]
    if image and image.manifest then
      -- Several tags of one image are asked for once.
      known[image.digest] = known[image.digest] or image
      list[#list + 1] = known[image.digest] == image and image or nil
    end
  end
  each(list, read_platforms)
  for _, image in pairs(pass:get("images")) do
    local same = image.digest and known[image.digest]
    if same then
      image.platforms, image.unknown = same.platforms, same.unknown
    end
  end
end

-- ---- judging -------------------------------------------------------------------------------------

--- The images of the containers, each once, in their order.
function subject.references(pass)
  local list = {}
  for _, container in ipairs(pass.definition.container_definitions) do
    list[#list + 1] = container.image
  end
  return pass.unique(list)
end

local function judge_existence(pass, found)
  local missing, fine, elsewhere = {}, {}, {}
  for _, reference in ipairs(subject.references(pass)) do
    local image = found[reference]
    if not image then
      elsewhere[#elsewhere + 1] = images.short(reference)
    elseif image.denied then
      pass:unread("images exist", images.short(reference) .. " could not be read (denied: ecr:BatchGetImage)")
    elseif image.upstream then
      pass:unread(
        "images exist",
        ("%s is not in the registry yet; whether %s has it was not looked at"):format(
          images.short(reference),
          image.upstream
        )
      )
    elseif image.missing then
      missing[#missing + 1] = ("%s is not in the registry (%s): push it, or name another one"):format(
        images.short(reference),
        image.missing
      )
    else
      fine[#fine + 1] = ("%s is %s"):format(images.short(reference), images.short_digest(image.digest))
    end
  end
  if #missing > 0 or #fine > 0 then
    pass:require_none("images exist", missing, table.concat(fine, ", "))
  end
  if #elsewhere > 0 then
    pass:unread("images exist", table.concat(elsewhere, ", ") .. ": of another registry or region, not looked at")
  end
end

local architectures = { X86_64 = "amd64", ARM64 = "arm64" }

-- The platform that the tasks run on, or nil where the container instance decides.
local function wanted_platform(pass)
  local platform = pass.definition.runtime_platform or {}
  if not pass:on_fargate() and not platform.cpu_architecture then
    return nil
  end
  local family = platform.operating_system_family or "LINUX"
  local os = family:find("^WINDOWS") and "windows" or "linux"
  return os .. "/" .. (architectures[platform.cpu_architecture or "X86_64"] or platform.cpu_architecture)
end

local function holds(list, platform)
  for _, text in ipairs(list) do
    if text == platform then
      return true
    end
  end
  return false
end

-- Why it cannot be told whether an image of this registry fits, or nil.
local function platform_unclear(image, wanted)
  if image.denied then
    return "could not be read (denied: ecr:BatchGetImage)"
  elseif image.digest and not image.platforms then
    return image.unknown
  elseif image.digest and not wanted then
    return "the container instance decides the platform"
  end
end

local function judge_platforms(pass, found)
  local wanted = wanted_platform(pass)
  local problems, judged = {}, 0
  for _, reference in ipairs(subject.references(pass)) do
    local image = found[reference]
    local unclear = image and platform_unclear(image, wanted)
    if unclear then
      pass:unread("images fit the processor", ("%s: %s"):format(images.short(reference), unclear))
    elseif image and image.digest then
      judged = judged + 1
      if not holds(image.platforms, wanted) then
        problems[#problems + 1] = ("%s is built for %s, the tasks run on %s: build it for that platform, or set "
          .. "runtime_platform of the task definition"):format(
          images.short(reference),
          #image.platforms > 0 and table.concat(image.platforms, ", ") or "no platform",
          wanted
        )
      end
    end
  end
  if judged > 0 then
    pass:require_none("images fit the processor", problems, wanted)
  end
end

local function judge_tags(pass, found)
  local moving, moved, same = {}, {}, {}
  local running = pass:get("running_images") or {}
  for _, container in ipairs(pass.definition.container_definitions) do
    local parts, image = images.parse(container.image), found[container.image]
    if parts.tag == "latest" and not parts.digest then
      moving[#moving + 1] = ("%s moves: name a version, so that what was tried is what runs"):format(
        images.short(container.image)
      )
    end
    local now = running[container.name]
    if image and image.digest and now and now.digest and now.reference == container.image then
      local list = now.digest == image.digest and same or moved
      list[#list + 1] = now.digest == image.digest and images.short(container.image)
        or ("%s means %s now, %s runs: this deployment brings the other image"):format(
          images.short(container.image),
          images.short_digest(image.digest),
          images.short_digest(now.digest)
        )
    end
  end
  pass:advise_none("image tags", moving, "none that moves by its name")
  if #moved > 0 or #same > 0 then
    -- Only to be known: a moved tag may be just what is to be deployed.
    local told = #moved > 0 and moved or same
    pass:advise("images against what runs", true, table.concat(told, "; ") .. (#moved == 0 and " is what runs" or ""))
  end
end

function subject.judge(pass)
  local found = pass:get("images")
  judge_existence(pass, found)
  judge_platforms(pass, found)
  judge_tags(pass, found)
end

return subject
