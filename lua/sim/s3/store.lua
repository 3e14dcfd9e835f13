--- Buckets and objects as they are kept, and what all of S3 asks of them.
--
-- An object has one version, its latest: a bucket remembers that versioning is on, gives its objects
-- version ids, and forgets what was overwritten or deleted.

local base64 = require "sim.base64"
local facts = require "sim.facts.s3"
local native = require "sim.native"
local util = require "sim.util"

local store = {}

function store.init(_, state)
  state.buckets = {} -- by name
end

--- Ends the operation with one of the facts' errors.
function store.fail(world, code, fields)
  local text, status = table.unpack(facts.errors[code])
  world:fail(code, text, { status = status, fields = fields })
end

--- The bucket of that name, or nil.
function store.find(world, name)
  return world:state("s3").buckets[name]
end

--- The bucket that an operation names; fails when there is none.
function store.bucket(world, input)
  return store.find(world, input.bucket) or store.fail(world, "NoSuchBucket")
end

--- The object that an operation names; fails when there is none.
function store.object(world, input)
  local bucket = store.bucket(world, input)
  local object = bucket.objects[input.key]
  if not object or input.version_id and input.version_id ~= (object.version_id or "null") then
    store.fail(world, "NoSuchKey")
  end
  return object, bucket
end

local function bytes_of(hex)
  return (hex:gsub("%x%x", function(pair)
    return string.char(tonumber(pair, 16))
  end))
end

--- The MD5 of bytes: as an ETag has it, and as Content-MD5 has it.
function store.md5(body)
  local hex = native.md5(body)
  return ('"%s"'):format(hex), base64.encode(bytes_of(hex))
end

--- Puts an object into a bucket.
function store.put(world, bucket, key, body, attributes)
  local object = util.copy(attributes)
  object.body, object.last_modified = body, world:now()
  object.e_tag = store.md5(body)
  object.version_id = bucket.versioning == "Enabled" and world:id(32) or nil
  object.server_side_encryption = attributes.server_side_encryption or bucket.algorithm
  bucket.objects[key] = object
  return object
end

--- A new bucket.
function store.create(world, name)
  local bucket = { name = name, created = world:now(), objects = {}, algorithm = "AES256" }
  world:state("s3").buckets[name] = bucket
  return bucket
end

function store.is_empty(bucket)
  return next(bucket.objects) == nil
end

--- Whether a text may be a bucket's name.
function store.is_name(name)
  return #name >= 3 and #name <= 63 and name:find("^[a-z0-9][a-z0-9.-]*[a-z0-9]$") ~= nil
    and not name:find("..", 1, true) and not name:find("^%d+%.%d+%.%d+%.%d+$")
end

return store
