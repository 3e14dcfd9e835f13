--- The registry's HTTP door, as docker, skopeo and crane use it, with what ECR does differently.
--
-- A request is {method, path, query, headers, body}: query and headers are maps, names of headers in
-- lower case; an answer is {status, headers, body}.

local base64 = require "sim.base64"
local facts = require "sim.facts.ecr"
local json = require "sim.json"
local layers = require "sim.ecr.layers"
local manifests = require "sim.ecr.manifests"
local scans = require "sim.ecr.scans"
local store = require "sim.ecr.store"
local util = require "sim.util"

local registry = {}

local function reply(status, headers, body)
  return { status = status, headers = headers or {}, body = body or "" }
end

local function refuse(status, code, message)
  local body = json.encode { errors = { json.ordered { { "code", code }, { "message", message } } } }
  return reply(status, { ["Content-Type"] = "application/json; charset=utf-8" }, body)
end

-- ---- who asks ------------------------------------------------------------------------------------

--- A password for "AWS", good until `expires`. It says itself when it ends, as ECR's does.
function registry.password(world, expires)
  return base64.encode(json.ordered {
    { "payload", world:id(32) }, { "version", "2" }, { "type", "DATA_KEY" }, { "expiration", math.floor(expires) },
  }.json_text)
end

-- Nil when the request may go on, else the answer.
local function check_token(world, headers)
  local text = (headers.authorization or ""):match("^[Bb]asic +(%S+)$")
  local user, password = ((text and base64.decode(text)) or ""):match("^([^:]*):(.*)$")
  local token = user == "AWS" and base64.decode(password)
  token = token and json.object_of(token)
  if not token or math.type(token.expiration) ~= "integer" then
    return reply(401, {
      ["Content-Type"] = "text/plain; charset=utf-8",
      ["WWW-Authenticate"] = ('Basic realm="https://%s/",service="ecr.amazonaws.com"'):format(store.host(world)),
    }, facts.texts.unauthorised)
  elseif token.expiration <= world:now() then
    return refuse(403, "DENIED", facts.texts.token_expired)
  end
end

-- ---- blobs ---------------------------------------------------------------------------------------

local function blob_headers(digest, size)
  return {
    ["Content-Type"] = "application/octet-stream", ["Content-Length"] = ("%d"):format(size),
    ["Docker-Content-Digest"] = digest,
  }
end

-- A part of a blob, for clients that go on where they stopped.
local function blob_part(blob, digest, range)
  local first, last = range:match("^bytes=(%d+)%-(%d*)$")
  first, last = tonumber(first), tonumber(last) or blob.size - 1
  if not first or first >= blob.size or last < first then
    return refuse(416, "RANGE_INVALID", "The range is not inside the blob")
  end
  last = math.min(last, blob.size - 1)
  local headers = blob_headers(digest, last - first + 1)
  headers["Content-Range"] = ("bytes %d-%d/%d"):format(first, last, blob.size)
  return reply(206, headers, blob.data:sub(first + 1, last + 1))
end

local function read_blob(world, repository, request, digest)
  local blob = repository.blobs[digest]
  if not blob then
    return refuse(404, "BLOB_UNKNOWN", store.text(world, "layer_missing", repository.name, digest))
  elseif request.method == "HEAD" then
    return reply(200, blob_headers(digest, blob.size))
  elseif request.method ~= "GET" then
    return refuse(405, "UNSUPPORTED", "The operation is unsupported.")
  elseif request.headers.range then
    return blob_part(blob, digest, request.headers.range)
  end
  return reply(200, blob_headers(digest, blob.size), blob.data)
end

local function blob_made(repository, digest)
  return reply(201, {
    Location = ("/v2/%s/blobs/%s"):format(repository.name, digest), ["Docker-Content-Digest"] = digest,
    ["Content-Length"] = "0",
  })
end

-- ---- uploads -------------------------------------------------------------------------------------

local function upload_at(status, repository, id)
  local upload = repository.uploads[id]
  -- ECR's Range stays where the first chunk ended, however much has come.
  return reply(status, {
    Location = ("/v2/%s/blobs/uploads/%s"):format(repository.name, id), ["Docker-Upload-UUID"] = id,
    Range = ("0-%d"):format(math.max(upload.first - 1, 0)), ["Content-Length"] = "0",
  })
end

local function take_bytes(upload, request)
  local first = (request.headers["content-range"] or ""):match("^%D*(%d+)%-%d+")
  if first and tonumber(first) ~= upload.size then
    return refuse(416, "BLOB_UPLOAD_INVALID", facts.texts.part_first:format(tonumber(first), upload.size))
  elseif not layers.append(upload, request.body or "") then
    return refuse(413, "SIZE_INVALID", facts.texts.layer_too_large:format(facts.limits.largest_layer))
  end
end

local function finish_upload(repository, id, request)
  local wanted = request.query.digest
  if not wanted or not wanted:find("^sha256:%x+$") or #wanted ~= 71 then
    return refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
  end
  local problem = take_bytes(repository.uploads[id], request)
  if problem then
    return problem
  elseif layers.close(repository, id, wanted) ~= wanted then
    repository.uploads[id] = nil
    return refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
  end
  return blob_made(repository, wanted)
end

-- Whether a manifest of the source repository needs this blob: others are not mounted.
local function is_used(repository, digest)
  for _, image in ipairs(repository.images) do
    if image.manifest:find(digest, 1, true) then
      return true
    end
  end
  return false
end

local function mount(world, repository, query)
  local source = query.from and store.find(world, query.from)
  local blob = source and source.blobs[query.mount]
  if not blob or world:state("ecr").settings.BLOB_MOUNTING ~= "ENABLED" or not is_used(source, query.mount) then
    return nil
  end
  repository.blobs[query.mount] = repository.blobs[query.mount] or blob
  return blob_made(repository, query.mount)
end

local function start_upload(world, repository, request)
  local mounted = request.query.mount and mount(world, repository, request.query)
  if mounted then
    return mounted
  end
  local id = layers.open(world, repository)
  if request.query.digest then
    return finish_upload(repository, id, request)
  end
  return upload_at(202, repository, id)
end

local function go_on_upload(repository, request, id)
  local upload = repository.uploads[id]
  -- Asking where a session stands is not answered either: ECR says that it knows no such upload.
  if not upload or request.method == "GET" then
    return refuse(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
  elseif request.method == "PATCH" then
    return take_bytes(upload, request) or upload_at(201, repository, id) -- 201, where others say 202
  elseif request.method == "PUT" then
    return finish_upload(repository, id, request)
  elseif request.method == "DELETE" then
    repository.uploads[id] = nil
    return reply(204)
  end
  return refuse(405, "UNSUPPORTED", "The operation is unsupported.")
end

-- ---- manifests -----------------------------------------------------------------------------------

local answers = {
  manifest_invalid = { 400, "MANIFEST_INVALID" }, digest_differs = { 400, "DIGEST_INVALID" },
  layers_missing = { 404, "BLOB_UNKNOWN" }, children_missing = { 404, "MANIFEST_UNKNOWN" },
  tag_exists = { 400, "TAG_INVALID" },
}

local function put_manifest(world, repository, request, reference)
  local by_digest = reference:find("^sha256:") ~= nil
  local image, refusal, fresh = manifests.put(world, repository, {
    text = request.body or "", media_type = (request.headers["content-type"] or ""):match("^[^;%s]+"),
    tag = not by_digest and reference or nil, digest = by_digest and reference or nil,
  })
  if not image and refusal.kind == "image_exists" then
    image = refusal.image -- the same again changes nothing
  end
  if not image then
    local answer = answers[refusal.kind]
    return refuse(answer[1], answer[2], refusal.text)
  elseif fresh then
    scans.pushed(world, repository, image)
  end
  return reply(201, {
    Location = ("/v2/%s/manifests/%s"):format(repository.name, image.digest),
    ["Docker-Content-Digest"] = image.digest, ["Content-Length"] = "0",
  })
end

local function manifest(world, repository, request, reference)
  if request.method == "PUT" then
    return put_manifest(world, repository, request, reference)
  elseif request.method ~= "GET" and request.method ~= "HEAD" then
    return refuse(405, "UNSUPPORTED", "The operation is unsupported.")
  end
  local image = store.by_reference(repository, reference)
  if not image then
    return refuse(404, "MANIFEST_UNKNOWN", facts.texts.not_found)
  end
  local headers = {
    ["Content-Type"] = image.media_type, ["Content-Length"] = ("%d"):format(#image.manifest),
    ["Docker-Content-Digest"] = image.digest,
  }
  if request.method == "HEAD" then
    return reply(200, headers)
  end
  image.pulled_at = world:now()
  return reply(200, headers, image.manifest)
end

local function tag_list(repository, request)
  local size, last = tonumber(request.query.n), request.query.last
  local tags, more = {}, false
  for tag in util.sorted_pairs(repository.tags) do
    if not last or tag > last then
      more = size ~= nil and #tags >= size
      if more then
        break
      end
      tags[#tags + 1] = tag
    end
  end
  local headers = { ["Content-Type"] = "application/json; charset=utf-8" }
  if more and tags[1] then
    headers.Link = ('</v2/%s/tags/list?n=%d&last=%s>; rel="next"'):format(repository.name, size, tags[#tags])
  end
  return reply(200, headers, json.ordered { { "name", repository.name }, { "tags", tags } }.json_text)
end

local function referrers(repository, digest)
  local list = {}
  for _, image in ipairs(repository.images) do
    if image.subject == digest then
      list[#list + 1] = json.ordered {
        { "mediaType", image.media_type }, { "digest", image.digest }, { "size", #image.manifest },
        { "artifactType", image.artifact },
      }
    end
  end
  return reply(200, { ["Content-Type"] = facts.media.oci_index }, json.ordered {
    { "schemaVersion", 2 }, { "mediaType", facts.media.oci_index }, { "manifests", list },
  }.json_text)
end

-- ---- the way in ----------------------------------------------------------------------------------

-- "/v2/team/app/blobs/uploads/ID" as name, kind, rest. The last known word splits it.
local function parse_path(path)
  for _, kind in ipairs { "blobs/uploads", "blobs", "manifests", "tags", "referrers" } do
    local name, rest = path:match("^/v2/(.+)/" .. kind .. "/?(.*)$")
    if name then
      return name, kind, rest
    end
  end
end

local function route(world, request)
  local name, kind, rest = parse_path(request.path)
  if not name then
    return refuse(404, "UNSUPPORTED", "The simulated registry has no such path.")
  end
  local repository = store.find(world, name)
  if not repository then
    return refuse(404, "NAME_UNKNOWN", facts.texts.repository_missing:format(name, world.data.account))
  elseif kind == "blobs/uploads" and rest == "" then
    if request.method ~= "POST" then
      return refuse(405, "UNSUPPORTED", "The operation is unsupported.")
    end
    return start_upload(world, repository, request)
  elseif kind == "blobs/uploads" then
    return go_on_upload(repository, request, rest)
  elseif kind == "blobs" then
    return read_blob(world, repository, request, rest)
  elseif kind == "manifests" then
    return manifest(world, repository, request, rest)
  elseif kind == "referrers" then
    return referrers(repository, rest)
  end
  return tag_list(repository, request)
end

-- A layer by the address that GetDownloadUrlForLayer gives, which takes no token. Nil when it is none.
local function layer_by_address(world, request)
  if not (request.host or ""):find("^prod%-[%w-]+%-starport%-layer%-bucket%.s3%.") then
    return nil
  end
  local name, digest = request.path:match("^/%d+/(.+)/(sha256:%x+)$")
  local repository = name and store.find(world, name)
  if not repository then
    return reply(404, { ["Content-Type"] = "application/xml" }, "<Error><Code>NoSuchKey</Code></Error>")
  end
  return read_blob(world, repository, {
    method = request.method, path = request.path, headers = request.headers or {},
  }, digest)
end

--- Answers a request to the registry; nil when it is for somebody else.
function registry.http(world, request)
  local layer = layer_by_address(world, request)
  if layer then
    return layer
  end
  if not request.path:find("^/v2/") and request.path ~= "/v2" then
    return nil -- somebody else's
  end
  local asked = {
    method = request.method, path = request.path, body = request.body,
    query = request.query or {}, headers = request.headers or {},
  }
  local answer = check_token(world, asked.headers)
  if not answer and asked.path:find("^/v2/?$") then
    answer = reply(200, { ["Content-Type"] = "application/json; charset=utf-8" }, "{}")
  end
  answer = answer or route(world, asked)
  answer.headers["Docker-Distribution-Api-Version"] = "registry/2.0"
  return answer
end

return registry
