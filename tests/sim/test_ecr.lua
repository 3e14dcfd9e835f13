--- The container registry: its API, its registry door, and what an image reference means.

local t = dofile "tests/sim/harness.lua"
local sha256 = require("sim.native").sha256
local json = require "sim.json"
local base64 = require "sim.base64"
local ecr = require "sim.ecr"

local account = "123456789012"
local host = account .. ".dkr.ecr.eu-west-1.amazonaws.com"

local function with_repository(options)
  local world = t.world { seed = 1 }
  options = options or {}
  options.repository_name = options.repository_name or "team/app"
  t.call(world, "ecr", "create_repository", options)
  return world
end

local function call(world, operation, input)
  input.repository_name = input.repository_name or "team/app"
  return t.call(world, "ecr", operation, input)
end

local function fails(world, code, operation, input)
  input.repository_name = input.repository_name or "team/app"
  return t.raises(code, function()
    return world:call("ecr", operation, input, t.caller)
  end)
end

local function upload(world, bytes)
  local id = call(world, "initiate_layer_upload", {}).upload_id
  call(world, "upload_layer_part", {
    upload_id = id, part_first_byte = 0, part_last_byte = #bytes - 1, layer_part_blob = bytes,
  })
  local digest = "sha256:" .. sha256(bytes)
  call(world, "complete_layer_upload", { upload_id = id, layer_digests = { digest } })
  return digest
end

local function manifest(config, layer, more)
  return ('{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":'
    .. '"application/vnd.oci.image.config.v1+json","digest":"%s","size":2},"layers":[{"digest":"%s","size":5}]%s}')
    :format(config, layer, more or "")
end

local function pushed(world, tag, layer)
  local config = '{"os":"linux","architecture":"arm64"}'
  local digests = {}
  for index, bytes in ipairs { config, layer or "layer" } do
    digests[index] = "sha256:" .. sha256(bytes)
    local known = call(world, "batch_check_layer_availability", { layer_digests = { digests[index] } })
    if known.layers[1].layer_availability == "UNAVAILABLE" then
      upload(world, bytes)
    end
  end
  return call(world, "put_image", { image_manifest = manifest(digests[1], digests[2]), image_tag = tag })
    .image.image_id.image_digest
end

-- ---- repositories --------------------------------------------------------------------------------

t.test("a repository is described as it was made", function()
  local world = with_repository { image_tag_mutability = "IMMUTABLE" }
  local shown = t.call(world, "ecr", "describe_repositories").repositories
  t.equal(#shown, 1)
  t.equal(shown[1].repository_uri, host .. "/team/app")
  t.equal(shown[1].repository_arn, "arn:aws:ecr:eu-west-1:123456789012:repository/team/app")
  t.equal(shown[1].image_tag_mutability, "IMMUTABLE")
end)

t.test("names are checked and taken once", function()
  local world = with_repository()
  for _, name in ipairs { "Team", "a", "a//b", "/ab", "ab/", "a__b", "-ab" } do
    fails(world, "InvalidParameterException", "create_repository", { repository_name = name })
  end
  local error = fails(world, "RepositoryAlreadyExistsException", "create_repository", {})
  t.equal(error.message, "The repository with name 'team/app' already exists in the registry with id '123456789012'")
end)

t.test("an unknown repository is named with the registry's id", function()
  local world = t.world { seed = 1 }
  local error = fails(world, "RepositoryNotFoundException", "list_images", { repository_name = "nope" })
  t.equal(error.message, "The repository with name 'nope' does not exist in the registry with id '123456789012'")
  error = fails(world, "RepositoryNotFoundException", "list_images", { repository_name = "no", registry_id = "1" })
  t.contains(error.message, "id '1'")
end)

t.test("a repository with images is deleted only by force", function()
  local world = with_repository()
  pushed(world, "v1")
  fails(world, "RepositoryNotEmptyException", "delete_repository", {})
  call(world, "delete_repository", { force = true })
  t.equal(t.call(world, "ecr", "describe_repositories").repositories, {})
end)

t.test("policies and tags are kept and their absence has names", function()
  local world = with_repository { tags = { { key = "a", value = "1" } } }
  local arn = "arn:aws:ecr:eu-west-1:123456789012:repository/team/app"
  fails(world, "RepositoryPolicyNotFoundException", "get_repository_policy", {})
  fails(world, "InvalidParameterException", "set_repository_policy", { policy_text = "{" })
  call(world, "set_repository_policy", { policy_text = '{"Statement":[]}' })
  t.equal(call(world, "get_repository_policy", {}).policy_text, '{"Statement":[]}')
  t.call(world, "ecr", "tag_resource", { resource_arn = arn, tags = { { key = "b", value = "2" } } })
  t.call(world, "ecr", "untag_resource", { resource_arn = arn, tag_keys = { "a" } })
  t.equal(t.call(world, "ecr", "list_tags_for_resource", { resource_arn = arn }).tags, { { key = "b", value = "2" } })
end)

-- ---- images --------------------------------------------------------------------------------------

t.test("an image is the digest of its manifest, whatever its tags", function()
  local world = with_repository()
  local digest = pushed(world, "v1")
  call(world, "put_image", {
    image_manifest = call(world, "batch_get_image", { image_ids = { { image_tag = "v1" } } }).images[1].image_manifest,
    image_tag = "latest",
  })
  local details = call(world, "describe_images", {}).image_details
  t.equal(#details, 1)
  t.equal(details[1].image_digest, digest)
  t.equal(details[1].image_tags, { "latest", "v1" })
  t.equal(details[1].image_size_in_bytes, 42)
end)

t.test("a tag that is pushed again moves and leaves the old image untagged", function()
  local world = with_repository()
  local first, second = pushed(world, "v1"), pushed(world, "v1", "other")
  local ids = call(world, "list_images", { filter = { tag_status = "UNTAGGED" } }).image_ids
  t.equal(ids, { { image_digest = first } })
  t.equal(call(world, "list_images", { filter = { tag_status = "TAGGED" } }).image_ids,
    { { image_digest = second, image_tag = "v1" } })
end)

t.test("an immutable tag is refused, with its own text", function()
  local world = with_repository { image_tag_mutability = "IMMUTABLE" }
  pushed(world, "v1")
  local config = "sha256:" .. sha256('{"os":"linux","architecture":"arm64"}')
  local error = fails(world, "ImageTagAlreadyExistsException", "put_image", {
    image_manifest = manifest(config, "sha256:" .. sha256 "layer", ',"annotations":{"a":"b"}'), image_tag = "v1",
  })
  t.equal(error.message, "The image tag 'v1' already exists in the 'team/app' repository and cannot be overwritten "
    .. "because the tag is immutable.")
end)

t.test("exclusion filters turn the mutability of tags they fit", function()
  local world = with_repository {
    image_tag_mutability = "IMMUTABLE_WITH_EXCLUSION",
    image_tag_mutability_exclusion_filters = { { filter_type = "WILDCARD", filter = "dev-*" } },
  }
  pushed(world, "dev-1")
  pushed(world, "dev-1", "other")
  pushed(world, "v1")
  fails(world, "ImageTagAlreadyExistsException", "put_image", {
    image_manifest = call(world, "batch_get_image", { image_ids = { { image_tag = "dev-1" } } }).images[1].image_manifest,
    image_tag = "v1",
  })
end)

t.test("the same image and tag again is said to exist", function()
  local world = with_repository()
  pushed(world, "v1")
  local text = call(world, "batch_get_image", { image_ids = { { image_tag = "v1" } } }).images[1].image_manifest
  fails(world, "ImageAlreadyExistsException", "put_image", { image_manifest = text, image_tag = "v1" })
  fails(world, "ImageAlreadyExistsException", "put_image", { image_manifest = text })
  fails(world, "ImageDigestDoesNotMatchException", "put_image",
    { image_manifest = text, image_digest = "sha256:" .. ("0"):rep(64) })
end)

t.test("a manifest needs its layers and an index its images", function()
  local world = with_repository()
  local nothing = "sha256:" .. ("0"):rep(64)
  local error = fails(world, "LayersNotFoundException", "put_image",
    { image_manifest = manifest(nothing, nothing), image_tag = "v1" })
  t.contains(error.message, nothing)
  fails(world, "ReferencedImagesNotFoundException", "put_image", {
    image_manifest = '{"schemaVersion":2,"manifests":[{"digest":"' .. nothing .. '"}]}', image_tag = "v1",
  })
  fails(world, "InvalidParameterException", "put_image", { image_manifest = "not json", image_tag = "v1" })
  fails(world, "InvalidParameterException", "put_image", { image_manifest = '{"schemaVersion":2}', image_tag = "v1" })
end)

t.test("an unknown image is described as ECR's text has it", function()
  local world = with_repository()
  local error = fails(world, "ImageNotFoundException", "describe_images", { image_ids = { { image_tag = "v9" } } })
  t.equal(error.message, "The image with imageId {imageDigest:'null', imageTag:'v9'} does not exist within the "
    .. "repository with name 'team/app' in the registry with id '123456789012'")
end)

t.test("deleting many never fails as a whole", function()
  local world = with_repository()
  local digest = pushed(world, "v1")
  local answer = call(world, "batch_delete_image", { image_ids = {
    { image_tag = "v1" }, { image_tag = "v2" }, {}, { image_digest = digest },
  } })
  t.equal(answer.image_ids, { { image_digest = digest, image_tag = "v1" } })
  t.equal(answer.failures[1], {
    image_id = { image_tag = "v2" }, failure_code = "ImageNotFound", failure_reason = "Requested image not found",
  })
  t.equal(answer.failures[2].failure_code, "MissingDigestAndTag")
  t.equal(answer.failures[3].failure_code, "ImageNotFound")
  t.equal(call(world, "list_images", {}).image_ids, {})
end)

t.test("an image of an index stays while the index needs it", function()
  local world = with_repository()
  local index = ecr.add_image(world, { repository = "team/app", tag = "v1", platforms = { "linux/amd64", "linux/arm64" } })
  local child
  for _, id in ipairs(call(world, "list_images", { filter = { tag_status = "UNTAGGED" } }).image_ids) do
    child = id.image_digest
  end
  local answer = call(world, "batch_delete_image", { image_ids = { { image_digest = child } } })
  t.equal(answer.failures[1].failure_code, "ImageReferencedByManifestList")
  t.contains(answer.failures[1].failure_reason, index)
end)

t.test("lists come in pages, and a token of somebody else is refused", function()
  local world = with_repository()
  for number = 1, 5 do
    pushed(world, "v" .. number, "layer" .. number)
  end
  local tags, token = {}, nil
  repeat
    local page = call(world, "list_images", { max_results = 2, next_token = token })
    for _, id in ipairs(page.image_ids) do
      tags[#tags + 1] = id.image_tag
    end
    token = page.next_token
  until not token
  t.equal(tags, { "v1", "v2", "v3", "v4", "v5" })
  fails(world, "InvalidParameterException", "list_images", { next_token = "mine" })
end)

-- ---- layers --------------------------------------------------------------------------------------

t.test("parts of a layer must follow one another", function()
  local world = with_repository()
  local id = call(world, "initiate_layer_upload", {}).upload_id
  local error = fails(world, "InvalidLayerPartException", "upload_layer_part",
    { upload_id = id, part_first_byte = 5, part_last_byte = 9, layer_part_blob = "hello" })
  t.equal(error.fields.last_valid_byte_received, -1)
  fails(world, "EmptyUploadException", "complete_layer_upload", { upload_id = id, layer_digests = { "sha256:0" } })
  fails(world, "UploadNotFoundException", "complete_layer_upload", { upload_id = "no", layer_digests = { "x" } })
  upload(world, "hello")
  id = call(world, "initiate_layer_upload", {}).upload_id
  call(world, "upload_layer_part", { upload_id = id, part_first_byte = 0, part_last_byte = 4, layer_part_blob = "hello" })
  fails(world, "LayerAlreadyExistsException", "complete_layer_upload",
    { upload_id = id, layer_digests = { "sha256:" .. sha256 "hello" } })
  fails(world, "InvalidLayerException", "complete_layer_upload",
    { upload_id = id, layer_digests = { "sha256:" .. sha256 "hallo" } })
end)

t.test("layers are there, not there, or no layers at all", function()
  local world = with_repository()
  local there, absent = upload(world, "hello"), "sha256:" .. ("a"):rep(64)
  local answer = call(world, "batch_check_layer_availability", { layer_digests = { there, absent, "x" } })
  t.equal(answer.layers[1].layer_availability, "AVAILABLE")
  t.equal(answer.layers[1].layer_size, 5)
  t.equal(answer.layers[2].layer_availability, "UNAVAILABLE")
  t.equal(answer.failures[1].failure_code, "InvalidLayerDigest")
end)

t.test("a layer is read at the address that is given for it, without a token", function()
  local world = with_repository()
  local digest = upload(world, "hello")
  local url = call(world, "get_download_url_for_layer", { layer_digest = digest }).download_url
  local name, path = url:match("^https://([^/]+)(/[^?]+)%?")
  t.contains(name, ".s3.eu-west-1.amazonaws.com")
  local answer = ecr.http(world, { method = "GET", host = name, path = path, headers = {} })
  t.equal({ answer.status, answer.body }, { 200, "hello" })
  t.equal(ecr.http(world, { method = "GET", host = name, path = "/1/none/" .. digest, headers = {} }).status, 404)
end)

-- ---- scans and lifecycle -------------------------------------------------------------------------

t.test("a scan takes a while and finds what the scenario says", function()
  local world = with_repository { image_scanning_configuration = { scan_on_push = true } }
  require("sim.faults").set(world, "scan_findings", "team/app", {
    { name = "CVE-2026-1", severity = "HIGH" }, { name = "CVE-2026-2", severity = "LOW" },
  })
  pushed(world, "v1")
  local id = { image_tag = "v1" }
  t.equal(call(world, "describe_image_scan_findings", { image_id = id }).image_scan_status, { status = "IN_PROGRESS" })
  t.advance(world, 60)
  local answer = call(world, "describe_image_scan_findings", { image_id = id, max_results = 1 })
  t.equal(answer.image_scan_status.status, "COMPLETE")
  t.equal(answer.image_scan_findings.finding_severity_counts, { HIGH = 1, LOW = 1 })
  t.equal(answer.image_scan_findings.findings[1].name, "CVE-2026-1")
  t.truthy(answer.next_token)
  t.equal(call(world, "describe_images", {}).image_details[1].image_scan_findings_summary.finding_severity_counts.HIGH, 1)
end)

t.test("an image that nobody scanned has no findings", function()
  local world = with_repository()
  pushed(world, "v1")
  fails(world, "ScanNotFoundException", "describe_image_scan_findings", { image_id = { image_tag = "v1" } })
  call(world, "start_image_scan", { image_id = { image_tag = "v1" } })
  t.advance(world, 60)
  t.equal(call(world, "describe_image_scan_findings", { image_id = { image_tag = "v1" } }).image_scan_status.status,
    "COMPLETE")
end)

t.test("a lifecycle policy is previewed and carried out within a day", function()
  local world = with_repository()
  local digests = {}
  for number = 1, 3 do
    digests[number] = pushed(world, "v" .. number, "layer" .. number)
    t.advance(world, 10)
  end
  local text = '{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan",'
    .. '"countNumber":1},"action":{"type":"expire"}}]}'
  fails(world, "LifecyclePolicyNotFoundException", "get_lifecycle_policy", {})
  fails(world, "LifecyclePolicyPreviewNotFoundException", "get_lifecycle_policy_preview", {})
  call(world, "start_lifecycle_policy_preview", { lifecycle_policy_text = text })
  t.equal(call(world, "get_lifecycle_policy_preview", {}).status, "IN_PROGRESS")
  t.advance(world, 10)
  local preview = call(world, "get_lifecycle_policy_preview", {})
  t.equal(preview.summary.expiring_image_total_count, 2)
  t.equal(preview.preview_results[1].image_digest, digests[2])
  call(world, "put_lifecycle_policy", { lifecycle_policy_text = text })
  t.advance(world, 86400)
  t.equal(call(world, "list_images", {}).image_ids, { { image_digest = digests[3], image_tag = "v3" } })
end)

t.test("a lifecycle policy that is wrong says what is wrong", function()
  local world = with_repository()
  local rule = '{"rules":[{"rulePriority":1,"selection":{%s},"action":{"type":"expire"}}]}'
  for _, case in ipairs {
    { "nope", "not a lifecycle policy" },
    { rule:format '"tagStatus":"any","countType":"sinceImagePushed","countNumber":3', "countUnit" },
    { rule:format '"tagStatus":"tagged","countType":"imageCountMoreThan","countNumber":3', "tagPrefixList" },
    { rule:format '"tagStatus":"any","countType":"imageCountMoreThan","countNumber":0', "countNumber" },
  } do
    t.contains(fails(world, "InvalidParameterException", "put_lifecycle_policy",
      { lifecycle_policy_text = case[1] }).message, case[2])
  end
end)

-- ---- the registry's door -------------------------------------------------------------------------

local function door(world, method, path, more)
  more = more or {}
  local token = t.call(world, "ecr", "get_authorization_token").authorization_data[1].authorization_token
  local headers = { authorization = "Basic " .. token }
  for name, value in pairs(more.headers or {}) do
    headers[name] = value
  end
  return ecr.http(world, {
    method = method, path = path, query = more.query or {}, headers = headers, body = more.body or "",
  })
end

local function door_error(answer)
  return json.decode(answer.body).errors[1]
end

t.test("the registry asks who calls, and takes ECR's token until it ends", function()
  local world = with_repository()
  local answer = ecr.http(world, { method = "GET", path = "/v2/", headers = {}, query = {}, body = "" })
  t.equal(answer.status, 401)
  t.contains(answer.headers["WWW-Authenticate"], "Basic realm=")
  t.equal(ecr.http(world, { method = "GET", path = "/api/healthz", headers = {}, query = {}, body = "" }), nil)
  t.equal(door(world, "GET", "/v2/").status, 200)
  local token = t.call(world, "ecr", "get_authorization_token").authorization_data[1].authorization_token
  t.contains(base64.decode(token), "AWS:")
  t.advance(world, 13 * 3600)
  local late = { method = "GET", path = "/v2/", query = {}, headers = { authorization = "Basic " .. token }, body = "" }
  t.equal(ecr.http(world, late).status, 403)
  t.equal(door_error(ecr.http(world, late)).code, "DENIED")
end)

local function push_blob(world, way, bytes)
  local digest = "sha256:" .. sha256(bytes)
  local uploads = "/v2/team/app/blobs/uploads/"
  if way == "one" then
    return door(world, "POST", uploads, { query = { digest = digest }, body = bytes })
  end
  local place = door(world, "POST", uploads)
  t.equal(place.status, 202)
  if way == "patch" then
    local patched = door(world, "PATCH", place.headers.Location, { body = bytes })
    t.equal(patched.status, 201)
    return door(world, "PUT", patched.headers.Location, { query = { digest = digest } })
  end
  return door(world, "PUT", place.headers.Location, { query = { digest = digest }, body = bytes })
end

t.test("a blob arrives by each of the three ways and is read back", function()
  for _, way in ipairs { "one", "patch", "put" } do
    local world = with_repository()
    local bytes = "bytes by " .. way .. "\0\255"
    local path = "/v2/team/app/blobs/sha256:" .. sha256(bytes)
    t.equal(door(world, "HEAD", path).status, 404)
    t.equal(push_blob(world, way, bytes).status, 201)
    local head = door(world, "HEAD", path)
    t.equal({ head.status, head.headers["Content-Length"], head.body }, { 200, ("%d"):format(#bytes), "" })
    t.equal(door(world, "GET", path).body, bytes)
    local part = door(world, "GET", path, { headers = { range = "bytes=6-7" } })
    t.equal({ part.status, part.body }, { 206, "by" })
  end
end)

t.test("ECR's range stays at the first chunk and a second try from the start is refused", function()
  local world = with_repository()
  local place = door(world, "POST", "/v2/team/app/blobs/uploads/").headers.Location
  door(world, "PATCH", place, { body = "hello", headers = { ["content-range"] = "0-4" } })
  local second = door(world, "PATCH", place, { body = " world", headers = { ["content-range"] = "5-10" } })
  t.equal(second.headers.Range, "0-4")
  local again = door(world, "PATCH", place, { body = "hello", headers = { ["content-range"] = "0-4" } })
  t.equal(again.status, 416)
  t.equal(door_error(again).message, "First byte of the layer part is 0 instead of 11")
  t.equal(door(world, "GET", place).status, 404)
  t.equal(door(world, "PUT", place, { query = { digest = "sha256:" .. sha256 "hello world" } }).status, 201)
  t.equal(door(world, "PATCH", place).status, 404)
end)

t.test("bytes that are not those of the digest are refused", function()
  local world = with_repository()
  local answer = door(world, "POST", "/v2/team/app/blobs/uploads/",
    { query = { digest = "sha256:" .. ("0"):rep(64) }, body = "hello" })
  t.equal({ answer.status, door_error(answer).code }, { 400, "DIGEST_INVALID" })
end)

t.test("an image is pushed and pulled by tag and digest", function()
  local world = with_repository()
  local config, layer = '{"os":"linux","architecture":"arm64"}', "layer"
  push_blob(world, "put", config)
  push_blob(world, "put", layer)
  local text = manifest("sha256:" .. sha256(config), "sha256:" .. sha256(layer))
  local headers = { ["content-type"] = "application/vnd.oci.image.manifest.v1+json" }
  local put = door(world, "PUT", "/v2/team/app/manifests/v1", { body = text, headers = headers })
  t.equal({ put.status, put.headers["Docker-Content-Digest"] }, { 201, "sha256:" .. sha256(text) })
  t.equal(door(world, "PUT", "/v2/team/app/manifests/v1", { body = text, headers = headers }).status, 201)
  for _, reference in ipairs { "v1", "sha256:" .. sha256(text) } do
    local got = door(world, "GET", "/v2/team/app/manifests/" .. reference)
    t.equal({ got.status, got.body, got.headers["Content-Type"] }, { 200, text, headers["content-type"] })
  end
  t.equal(ecr.resolve(world, host .. "/team/app:v1"), { digest = "sha256:" .. sha256(text), platforms = { "linux/arm64" } })
  t.equal(json.decode(door(world, "GET", "/v2/team/app/tags/list").body), { name = "team/app", tags = { "v1" } })
end)

t.test("the registry says what is wrong in its own form", function()
  local world = with_repository { image_tag_mutability = "IMMUTABLE" }
  local error = door_error(door(world, "POST", "/v2/nope/blobs/uploads/"))
  t.equal(error.code, "NAME_UNKNOWN")
  t.equal(error.message, "The repository with name 'nope' does not exist in the registry with id '123456789012'")
  t.equal(door_error(door(world, "GET", "/v2/team/app/manifests/v1")).code, "MANIFEST_UNKNOWN")
  t.equal(door(world, "PUT", "/v2/team/app/manifests/v1", { body = manifest("sha256:1", "sha256:2") }).status, 404)
  ecr.add_image(world, { repository = "team/app", tag = "v1" })
  local text = door(world, "GET", "/v2/team/app/manifests/v1").body
  local fixed = door(world, "PUT", "/v2/team/app/manifests/v1", { body = text })
  t.equal({ fixed.status, door_error(fixed).code }, { 400, "TAG_INVALID" })
  t.equal(door_error(fixed).message, "The image tag 'v1' already exists in the 'team/app' repository and cannot be "
    .. "overwritten because the tag is immutable.")
end)

t.test("a blob is mounted only when the account allows it and an image uses it", function()
  local world = with_repository()
  t.call(world, "ecr", "create_repository", { repository_name = "other" })
  local layer = upload(world, "layer")
  local query = { mount = layer, from = "team/app" }
  local function ask()
    return door(world, "POST", "/v2/other/blobs/uploads/", { query = query }).status
  end
  t.equal(ask(), 202)
  t.call(world, "ecr", "put_account_setting", { name = "BLOB_MOUNTING", value = "ENABLED" })
  t.equal(ask(), 202)
  pushed(world, "v1")
  t.equal(ask(), 201)
  t.equal(door(world, "HEAD", "/v2/other/blobs/" .. layer).status, 200)
end)

t.test("tags are listed in pages", function()
  local world = with_repository()
  for _, tag in ipairs { "a", "b", "c" } do
    ecr.add_image(world, { repository = "team/app", tag = tag })
  end
  local first = door(world, "GET", "/v2/team/app/tags/list", { query = { n = "2" } })
  t.equal(json.decode(first.body).tags, { "a", "b" })
  t.contains(first.headers.Link, "last=b")
  t.equal(json.decode(door(world, "GET", "/v2/team/app/tags/list", { query = { n = "2", last = "b" } }).body).tags, { "c" })
end)

-- ---- references ----------------------------------------------------------------------------------

t.test("references are taken apart as engines do", function()
  for text, want in pairs {
    ["nginx"] = { name = "nginx", tag = "latest" },
    ["nginx:1.25"] = { name = "nginx", tag = "1.25" },
    ["library/nginx"] = { name = "library/nginx", tag = "latest" },
    ["localhost:5000/app"] = { host = "localhost:5000", name = "app", tag = "latest" },
    ["public.ecr.aws/x/y:1@sha256:ab"] = { host = "public.ecr.aws", name = "x/y", tag = "1", digest = "sha256:ab" },
    ["h.io/a@sha256:ab"] = { host = "h.io", name = "a", digest = "sha256:ab" },
  } do
    t.equal(ecr.parse(text), want, text)
  end
end)

t.test("images elsewhere are there, those of the own registry when somebody pushed them", function()
  local world = t.world { seed = 1 }
  t.equal(ecr.resolve(world, "nginx:1").digest, ecr.resolve(world, "nginx:1").digest)
  t.truthy(ecr.resolve(world, "nginx:1").digest ~= ecr.resolve(world, "nginx:2").digest)
  local image, why = ecr.resolve(world, host .. "/app:v1")
  t.equal({ image == nil, why }, { true, "missing" })
  local digest = ecr.add_image(world, { repository = "app", tag = "v1", platforms = { "linux/amd64", "linux/arm64" } })
  t.equal(ecr.resolve(world, host .. "/app:v1"), { digest = digest, platforms = { "linux/amd64", "linux/arm64" } })
  t.equal(ecr.resolve(world, host .. "/app@" .. digest).digest, digest)
  t.truthy(ecr.remove_image(world, "app", "v1"))
  t.equal(ecr.resolve(world, host .. "/app:v1"), nil)
end)

t.test("a scenario can take an image away or give it another architecture", function()
  local world = t.world { seed = 1 }
  local faults = require "sim.faults"
  faults.set(world, "image_missing", "nginx:1", true)
  t.equal(select(2, ecr.resolve(world, "nginx:1")), "missing")
  faults.set(world, "architecture", "nginx:2", { "linux/arm64" })
  t.equal(ecr.resolve(world, "nginx:2").platforms, { "linux/arm64" })
end)

t.test("the same world gives the same registry", function()
  local function run()
    local world = with_repository()
    pushed(world, "v1")
    door(world, "POST", "/v2/team/app/blobs/uploads/")
    return t.show(world:save())
  end
  t.equal(run(), run())
end)

t.finish()
