--- S3, as far as deployments need it: buckets, objects, and the settings that tools look at first.
--
-- Objects keep their latest version only. Policies and encryption are kept and shown, and decide nothing.

local facts = require "sim.facts.s3"
local json = require "sim.json"
local store = require "sim.s3.store"
local util = require "sim.util"

local s3 = { operations = {}, init = store.init }
local operations = s3.operations

for _, part in ipairs { require "sim.s3.objects", require "sim.s3.listing" } do
  for name, run in util.sorted_pairs(part.operations) do
    operations[name] = run
  end
end

-- ---- buckets -------------------------------------------------------------------------------------

local function check_location(world, input)
  local wanted = input.create_bucket_configuration and input.create_bucket_configuration.location_constraint
  local region = world.data.region
  if not wanted and region ~= "us-east-1" then
    world:fail("IllegalLocationConstraintException", facts.location_missing, { status = 400 })
  elseif wanted and wanted ~= region and not (wanted == "EU" and region == "eu-west-1") then
    world:fail("IllegalLocationConstraintException", facts.location_wrong:format(wanted), { status = 400 })
  end
end

function operations.create_bucket(world, input)
  if not store.is_name(input.bucket) then
    store.fail(world, "InvalidBucketName")
  elseif store.find(world, input.bucket) then
    store.fail(world, "BucketAlreadyOwnedByYou")
  end
  check_location(world, input)
  store.create(world, input.bucket)
  return { location = "/" .. input.bucket }
end

function operations.head_bucket(world, input)
  if not store.find(world, input.bucket) then
    store.fail(world, "404")
  end
  return { bucket_region = world.data.region, access_point_alias = false }
end

function operations.list_buckets(world, input)
  local buckets, prefix = {}, input.prefix or ""
  for name, bucket in util.sorted_pairs(world:state("s3").buckets) do
    if name:sub(1, #prefix) == prefix then
      buckets[#buckets + 1] = { name = name, creation_date = bucket.created }
    end
  end
  local page, token = world:page(buckets, input.continuation_token, input.max_buckets or 10000, "InvalidArgument")
  return { buckets = page, continuation_token = token, prefix = input.prefix, owner = { id = s3.owner(world) } }
end

function operations.delete_bucket(world, input)
  local bucket = store.bucket(world, input)
  if not store.is_empty(bucket) then
    store.fail(world, "BucketNotEmpty")
  end
  world:state("s3").buckets[bucket.name] = nil
  return {}
end

-- The one answer of S3 whose root is the member itself.
function operations.get_bucket_location(world, input)
  store.bucket(world, input)
  local region = world.data.region ~= "us-east-1" and world.data.region or nil
  return { location_constraint = region }, {
    status = 200, headers = { ["Content-Type"] = "application/xml" },
    body = '<?xml version="1.0" encoding="UTF-8"?>\n<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
      .. (region or "") .. "</LocationConstraint>",
  }
end

--- The canonical id of the account that owns the buckets.
function s3.owner(world)
  return require("sim.native").sha256("owner " .. world.data.account)
end

-- ---- settings of a bucket ------------------------------------------------------------------------

local function rules_of(algorithm, key)
  return { rules = { {
    apply_server_side_encryption_by_default = { sse_algorithm = algorithm, kms_master_key_id = key },
    bucket_key_enabled = key ~= nil,
  } } }
end

function operations.get_bucket_encryption(world, input)
  local bucket = store.bucket(world, input)
  return { server_side_encryption_configuration = util.copy(bucket.encryption) or rules_of("AES256") }
end

function operations.put_bucket_encryption(world, input)
  local bucket = store.bucket(world, input)
  bucket.encryption = util.copy(input.server_side_encryption_configuration)
  local rule = (bucket.encryption.rules or {})[1]
  local default = rule and rule.apply_server_side_encryption_by_default
  bucket.algorithm = default and default.sse_algorithm or "AES256"
  return {}
end

function operations.delete_bucket_encryption(world, input)
  local bucket = store.bucket(world, input)
  bucket.encryption, bucket.algorithm = nil, "AES256"
  return {}
end

function operations.get_bucket_versioning(world, input)
  return { status = store.bucket(world, input).versioning }
end

function operations.put_bucket_versioning(world, input)
  store.bucket(world, input).versioning = input.versioning_configuration.status
  return {}
end

function operations.put_bucket_policy(world, input)
  local bucket = store.bucket(world, input)
  if not json.object_of(input.policy) then
    store.fail(world, "MalformedPolicy")
  end
  bucket.policy = input.policy
  return {}
end

-- Settings that are there or not: how each is called, and the error when it is not there.
local settings = {
  bucket_policy = { member = "policy", keeps = "policy", missing = "NoSuchBucketPolicy" },
  public_access_block = {
    member = "public_access_block_configuration", keeps = "public_access_block",
    missing = "NoSuchPublicAccessBlockConfiguration",
  },
  bucket_tagging = { member = "tag_set", keeps = "tags", missing = "NoSuchTagSet", inside = "tagging" },
}

for name, setting in util.sorted_pairs(settings) do
  operations["get_" .. name] = function(world, input)
    local value = store.bucket(world, input)[setting.keeps]
    if value == nil then
      store.fail(world, setting.missing)
    end
    return { [setting.member] = util.copy(value) }
  end
  operations["delete_" .. name] = function(world, input)
    store.bucket(world, input)[setting.keeps] = nil
    return {}
  end
  operations["put_" .. name] = operations["put_" .. name] or function(world, input)
    local from = setting.inside and input[setting.inside] or input
    store.bucket(world, input)[setting.keeps] = util.copy(from[setting.member])
    return {}
  end
end

-- ---- doors ---------------------------------------------------------------------------------------

--- The bytes of an object, or nil and the code of what is missing.
function s3.read(world, bucket_name, key)
  local bucket = store.find(world, bucket_name)
  if not bucket then
    return nil, "NoSuchBucket"
  elseif not bucket.objects[key] then
    return nil, "NoSuchKey"
  end
  return bucket.objects[key].body
end

return s3
