--- Objects: writing, reading, copying and deleting them.

local facts = require "sim.facts.s3"
local store = require "sim.s3.store"
local util = require "sim.util"

local objects = { operations = {} }
local operations = objects.operations

-- What a writer may say of an object and a reader gets back.
local attributes = {
  "cache_control", "content_disposition", "content_encoding", "content_language", "content_type", "expires",
  "metadata", "server_side_encryption", "ssekms_key_id", "storage_class", "website_redirect_location",
}
local checksums = { "checksum_crc32", "checksum_crc32_c", "checksum_crc64_nvme", "checksum_sha1", "checksum_sha256" }

local function taken(from, names, into)
  for _, name in ipairs(names) do
    into[name] = util.copy(from[name])
  end
  return into
end

-- ---- bodies in chunks ----------------------------------------------------------------------------

local trailers = {
  ["x-amz-checksum-crc32"] = "checksum_crc32", ["x-amz-checksum-crc32c"] = "checksum_crc32_c",
  ["x-amz-checksum-crc64nvme"] = "checksum_crc64_nvme", ["x-amz-checksum-sha1"] = "checksum_sha1",
  ["x-amz-checksum-sha256"] = "checksum_sha256",
}

-- Clients may sign a body chunk by chunk ("aws-chunked"): sizes in hex before, trailers behind. Returns
-- the body and its trailers by member, or nil.
local function unchunk(body)
  local parts, at, found = {}, 1, {}
  while true do
    local size, stop = body:match("^(%x+)[^\r\n]*\r\n()", at)
    size = size and tonumber(size, 16)
    if not size or stop + size > #body + 1 then
      return nil
    elseif size == 0 then
      for name, value in body:sub(stop):gmatch("([%w-]+):%s*([^\r\n]*)") do
        local member = trailers[name:lower()]
        if member then
          found[member] = value
        end
      end
      return table.concat(parts), found
    end
    parts[#parts + 1] = body:sub(stop, stop + size - 1)
    at = stop + size + 2
  end
end

local function body_of(world, input)
  local body, encoding = input.body or "", input.content_encoding
  if not encoding or not encoding:find("aws%-chunked") then
    return body, encoding, input
  end
  local rest = encoding:gsub("aws%-chunked%s*,?%s*", "")
  local plain, sums = unchunk(body)
  -- When the server in front has taken the chunks apart already, there is nothing left to do.
  if not plain and body:find("^%x+;chunk%-signature=") then
    store.fail(world, "IncompleteBody")
  end
  for _, name in ipairs(plain and checksums or {}) do
    sums[name] = sums[name] or input[name]
  end
  return plain or body, rest ~= "" and rest or nil, plain and sums or input
end

-- ---- conditions ----------------------------------------------------------------------------------

local function names_tag(list, object)
  return list == "*" or list:find((object.e_tag:gsub('"', "")), 1, true) ~= nil
end

local function check_reading(world, input, object)
  if input.if_match and not names_tag(input.if_match, object) then
    store.fail(world, "PreconditionFailed")
  elseif input.if_none_match and names_tag(input.if_none_match, object) then
    store.fail(world, "NotModified")
  elseif input.if_modified_since and not input.if_none_match and object.last_modified <= input.if_modified_since then
    store.fail(world, "NotModified")
  elseif input.if_unmodified_since and not input.if_match and object.last_modified > input.if_unmodified_since then
    store.fail(world, "PreconditionFailed")
  end
end

local function check_writing(world, input, present)
  if input.if_none_match and present or input.if_match and not (present and names_tag(input.if_match, present)) then
    store.fail(world, "PreconditionFailed")
  end
end

-- ---- writing -------------------------------------------------------------------------------------

local function check_digest(world, input, body)
  if not input.content_md5 then
    return
  elseif #input.content_md5 ~= 24 then
    store.fail(world, "InvalidDigest")
  end
  local _, digest = store.md5(body)
  if digest ~= input.content_md5 then
    store.fail(world, "BadDigest")
  end
end

function operations.put_object(world, input)
  local bucket = store.bucket(world, input)
  check_writing(world, input, bucket.objects[input.key])
  local body, encoding, sums = body_of(world, input)
  check_digest(world, input, body)
  local about = taken(sums, checksums, taken(input, attributes, {}))
  about.content_encoding = encoding
  local object = store.put(world, bucket, input.key, body, about)
  return taken(object, checksums, {
    e_tag = object.e_tag, version_id = object.version_id, server_side_encryption = object.server_side_encryption,
    ssekms_key_id = object.ssekms_key_id,
  })
end

local function decoded(text)
  return (text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

function operations.copy_object(world, input)
  local bucket = store.bucket(world, input)
  local path, version = decoded(input.copy_source):match("^/?([^?]*)%??(.*)$")
  local from, key = path:match("^([^/]+)/(.+)$")
  local source = store.object(world, {
    bucket = from or "", key = key, version_id = version:match("^versionId=(.+)$"),
  })
  check_reading(world, {
    if_match = input.copy_source_if_match, if_none_match = input.copy_source_if_none_match,
  }, source)
  local replace = input.metadata_directive == "REPLACE"
  if from == input.bucket and key == input.key and not replace and not input.storage_class then
    store.fail(world, "InvalidRequest")
  end
  local about = taken(replace and input or source, attributes, taken(source, checksums, {}))
  about.storage_class = input.storage_class
  local object = store.put(world, bucket, input.key, source.body, about)
  return {
    copy_object_result = { e_tag = object.e_tag, last_modified = object.last_modified },
    version_id = object.version_id, server_side_encryption = object.server_side_encryption,
  }
end

-- ---- reading -------------------------------------------------------------------------------------

-- First and last byte of a range, counted from 0; nil when it asks for no part.
local function range_of(world, text, size)
  local first, last = text:match("^bytes=(%d*)%-(%d*)$")
  if not first or first == "" and last == "" then
    return nil -- not a range: the whole is given, as servers do
  end
  first, last = tonumber(first), tonumber(last)
  if not first then
    first, last = math.max(size - last, 0), size - 1
  end
  last = math.min(last or size - 1, size - 1)
  if first >= size or first > last then
    store.fail(world, "InvalidRange")
  end
  return first, last
end

local function described(world, input)
  local object = store.object(world, input)
  check_reading(world, input, object)
  local output = taken(object, attributes, {
    accept_ranges = "bytes", content_length = #object.body, e_tag = object.e_tag, last_modified = object.last_modified,
    version_id = object.version_id, metadata = {},
  })
  output.content_type = input.response_content_type or object.content_type or facts.content_type
  output.metadata = output.metadata or {}
  if input.checksum_mode == "ENABLED" and not input.range then -- they are of the whole
    taken(object, checksums, output)
  end
  return output, object
end

function operations.head_object(world, input)
  local bucket = store.find(world, input.bucket)
  if not bucket or not bucket.objects[input.key] then
    store.fail(world, "404")
  end
  return (described(world, input))
end

function operations.get_object(world, input)
  local output, object = described(world, input)
  output.body = object.body
  local first, last
  if input.range then
    first, last = range_of(world, input.range, #object.body)
  end
  if first then
    output.body = object.body:sub(first + 1, last + 1)
    output.content_length = #output.body
    output.content_range = ("bytes %d-%d/%d"):format(first, last, #object.body)
  end
  return output
end

-- ---- deleting ------------------------------------------------------------------------------------

function operations.delete_object(world, input)
  local bucket = store.bucket(world, input)
  local present = bucket.objects[input.key]
  bucket.objects[input.key] = nil -- one that is not there is as good as deleted
  return { version_id = input.version_id and present and present.version_id or nil }
end

function operations.delete_objects(world, input)
  local bucket = store.bucket(world, input)
  local deleted = {}
  for index, object in ipairs(input.delete.objects) do
    bucket.objects[object.key] = nil
    deleted[index] = { key = object.key, version_id = object.version_id }
  end
  return { deleted = not input.delete.quiet and deleted or {}, errors = {} }
end

return objects
