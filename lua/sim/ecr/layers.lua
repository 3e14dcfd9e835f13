--- Layers: ECR's own upload calls, and the sessions that the registry's HTTP door shares with them.

local facts = require "sim.facts.ecr"
local manifests = require "sim.ecr.manifests"
local store = require "sim.ecr.store"

local layers, operations = {}, {}

-- ---- sessions ------------------------------------------------------------------------------------

--- Opens a session in a repository; returns its id.
function layers.open(world, repository)
  local id = world:uuid()
  repository.uploads[id] = { parts = {}, size = 0, first = 0 }
  return id
end

--- Adds bytes to a session. False when there would be more than the simulator holds.
function layers.append(upload, bytes)
  if upload.size + #bytes > facts.limits.largest_layer then
    return false
  end
  if #bytes > 0 then
    upload.parts[#upload.parts + 1] = bytes
    upload.size = upload.size + #bytes
    upload.first = upload.first > 0 and upload.first or #bytes -- what ECR keeps saying in Range
  end
  return true
end

--- Ends a session: its bytes become a blob when they have this digest. Returns the digest that they have.
function layers.close(repository, id, wanted)
  local upload = repository.uploads[id]
  local bytes = table.concat(upload.parts)
  local digest = manifests.digest(bytes)
  if digest == wanted then
    repository.blobs[digest] = repository.blobs[digest] or { size = #bytes, data = bytes }
    repository.uploads[id] = nil
  else
    upload.parts = { bytes }
  end
  return digest
end

-- ---- ECR's calls ---------------------------------------------------------------------------------

function operations.batch_check_layer_availability(world, input)
  local repository = store.repository(world, input)
  local list, failures = {}, {}
  for _, digest in ipairs(input.layer_digests) do
    local blob = repository.blobs[digest]
    if blob then
      list[#list + 1] = {
        layer_digest = digest, layer_availability = "AVAILABLE", layer_size = blob.size,
        media_type = facts.media.oci_layer,
      }
    elseif digest:find("^sha256:%x+$") and #digest == 71 then
      list[#list + 1] = { layer_digest = digest, layer_availability = "UNAVAILABLE" }
    else
      failures[#failures + 1] = {
        layer_digest = digest, failure_code = "InvalidLayerDigest",
        failure_reason = "Invalid request parameters: layer digest is not valid", -- I
      }
    end
  end
  return { layers = list, failures = failures }
end

function operations.initiate_layer_upload(world, input)
  local repository = store.repository(world, input)
  return { upload_id = layers.open(world, repository), part_size = facts.limits.part_size }
end

local function required_upload(world, repository, id)
  local upload = repository.uploads[id]
  if not upload then
    world:fail("UploadNotFoundException", facts.texts.upload_missing:format(id, repository.name, world.data.account))
  end
  return upload
end

function operations.upload_layer_part(world, input)
  local repository = store.repository(world, input)
  local upload = required_upload(world, repository, input.upload_id)
  local bytes, first, last = input.layer_part_blob, input.part_first_byte, input.part_last_byte
  local problem
  if first ~= upload.size then
    problem = facts.texts.part_first:format(first, upload.size)
  elseif last - first + 1 ~= #bytes then
    problem = facts.texts.part_length:format(first, last, #bytes)
  end
  if problem then
    world:fail("InvalidLayerPartException", problem, { fields = {
      registry_id = world.data.account, repository_name = repository.name, upload_id = input.upload_id,
      last_valid_byte_received = upload.size - 1,
    } })
  end
  if not layers.append(upload, bytes) then
    world:fail("LimitExceededException", facts.texts.layer_too_large:format(facts.limits.largest_layer))
  end
  return {
    registry_id = world.data.account, repository_name = repository.name, upload_id = input.upload_id,
    last_byte_received = last,
  }
end

function operations.complete_layer_upload(world, input)
  local repository = store.repository(world, input)
  local upload = required_upload(world, repository, input.upload_id)
  local wanted = input.layer_digests[1]
  if upload.size == 0 then
    world:fail("EmptyUploadException", facts.texts.upload_empty:format(input.upload_id))
  end
  for index = 1, #upload.parts - 1 do
    if #upload.parts[index] < facts.limits.smallest_part then
      world:fail("LayerPartTooSmallException", facts.texts.part_small:format(facts.limits.smallest_part))
    end
  end
  if repository.blobs[wanted] then
    world:fail("LayerAlreadyExistsException", store.text(world, "layer_exists", repository.name, wanted))
  end
  local digest = layers.close(repository, input.upload_id, wanted)
  if digest ~= wanted then
    world:fail("InvalidLayerException", facts.texts.layer_digest:format(digest, wanted))
  end
  return {
    registry_id = world.data.account, repository_name = repository.name, upload_id = input.upload_id,
    layer_digest = digest,
  }
end

function operations.get_download_url_for_layer(world, input)
  local repository = store.repository(world, input)
  local digest = input.layer_digest
  if not repository.blobs[digest] then
    world:fail("LayersNotFoundException", store.text(world, "layer_missing", repository.name, digest))
  end
  -- A signed address in S3, as the real one; the registry's HTTP door answers it: see sim.ecr.registry.
  local region = world.data.region
  local url = ("https://prod-%s-starport-layer-bucket.s3.%s.amazonaws.com/%s/%s/%s?X-Amz-Expires=3600"):format(
    region, region, world.data.account, repository.name, digest)
  return { download_url = url, layer_digest = digest }
end

layers.operations = operations
return layers
