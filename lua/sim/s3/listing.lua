--- What lists the objects of a bucket, page by page, keys that share a prefix rolled into one.

local base64 = require "sim.base64"
local facts = require "sim.facts.s3"
local store = require "sim.s3.store"
local util = require "sim.util"

local listing = { operations = {} }
local operations = listing.operations

local function encoder(input)
  if input.encoding_type ~= "url" then
    return function(text) return text end
  end
  return function(text)
    return text and (text:gsub("[^%w%-._~/]", function(byte)
      return ("%%%02X"):format(byte:byte())
    end))
  end
end

-- The entries of a listing after the name `after`, in order: {name, object} or {name, prefix = true}.
local function entries_of(bucket, input, after)
  local prefix, delimiter = input.prefix or "", input.delimiter
  local list, last = {}, nil
  for key, object in util.sorted_pairs(bucket.objects) do
    if key:sub(1, #prefix) == prefix then
      local stop = delimiter and delimiter ~= "" and select(2, key:find(delimiter, #prefix + 1, true))
      local name = stop and key:sub(1, stop) or key
      if name > after and name ~= last then
        list[#list + 1] = { name = name, object = object, prefix = stop ~= nil and stop ~= false }
      end
      last = name
    end
  end
  return list
end

local function shown(entry, encode)
  local object = entry.object
  return {
    key = encode(entry.name), last_modified = object.last_modified, e_tag = object.e_tag, size = #object.body,
    storage_class = object.storage_class or "STANDARD",
  }
end

-- The part that all three listings share. Gives the output and the name to go on after.
local function page_of(bucket, input, after)
  local encode, size = encoder(input), math.min(input.max_keys or facts.page, facts.page)
  local list = entries_of(bucket, input, after)
  local objects, prefixes, last = {}, {}, nil
  for index = 1, math.min(size, #list) do
    local entry = list[index]
    last = entry.name
    if entry.prefix then
      prefixes[#prefixes + 1] = { prefix = encode(entry.name) }
    else
      objects[#objects + 1] = shown(entry, encode)
    end
  end
  local truncated = size > 0 and #list > size
  return {
    name = bucket.name, prefix = encode(input.prefix or ""), delimiter = encode(input.delimiter), max_keys = size,
    encoding_type = input.encoding_type, is_truncated = truncated, contents = objects, common_prefixes = prefixes,
  }, truncated and last or nil
end

function operations.list_objects_v2(world, input)
  local bucket = store.bucket(world, input)
  local after = input.start_after or ""
  if input.continuation_token then
    after = base64.decode(input.continuation_token) or store.fail(world, "InvalidArgument")
  end
  local output, last = page_of(bucket, input, after)
  output.key_count = #output.contents + #output.common_prefixes
  output.start_after, output.continuation_token = encoder(input)(input.start_after), input.continuation_token
  output.next_continuation_token = last and base64.encode(last)
  return output
end

function operations.list_objects(world, input)
  local output, last = page_of(store.bucket(world, input), input, input.marker or "")
  output.marker = encoder(input)(input.marker or "")
  output.next_marker = input.delimiter and encoder(input)(last)
  return output
end

function operations.list_object_versions(world, input)
  local bucket = store.bucket(world, input)
  local output, last = page_of(bucket, input, input.key_marker or "")
  output.versions, output.contents = output.contents, nil
  local objects = entries_of(bucket, input, input.key_marker or "")
  local at = 0
  for _, entry in ipairs(objects) do
    at = entry.prefix and at or at + 1
    local version = not entry.prefix and output.versions[at]
    if version then
      version.version_id, version.is_latest = entry.object.version_id or "null", true
    end
  end
  output.key_marker, output.next_key_marker = encoder(input)(input.key_marker or ""), encoder(input)(last)
  output.delete_markers = {}
  return output
end

return listing
