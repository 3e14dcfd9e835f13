--- Buckets and objects, as tools that publish files ask of them.

local t = dofile "tests/sim/harness.lua"
local s3 = require "sim.s3"

local here = { location_constraint = "eu-west-1" }

local function with_bucket()
  local world = t.world { seed = 1 }
  t.call(world, "s3", "create_bucket", { bucket = "assets", create_bucket_configuration = here })
  return world
end

local function call(world, operation, input)
  input = input or {}
  input.bucket = input.bucket or "assets"
  return t.call(world, "s3", operation, input)
end

local function fails(world, code, operation, input)
  input = input or {}
  input.bucket = input.bucket or "assets"
  return t.raises(code, function()
    return world:call("s3", operation, input, t.caller)
  end)
end

local function keys_of(output)
  local keys = {}
  for index, object in ipairs(output.contents) do
    keys[index] = object.key
  end
  return keys
end

-- ---- buckets -------------------------------------------------------------------------------------

t.test("a bucket is listed, located and gone when deleted", function()
  local world = with_bucket()
  t.equal(t.call(world, "s3", "list_buckets").buckets, { { name = "assets", creation_date = world:now() } })
  t.equal(call(world, "get_bucket_location"), { location_constraint = "eu-west-1" })
  t.contains(world:call("s3", "get_bucket_location", { bucket = "assets" }, t.caller).raw.body, ">eu-west-1</LocationConstraint>")
  t.equal(call(world, "head_bucket").bucket_region, "eu-west-1")
  call(world, "delete_bucket")
  t.equal(fails(world, "404", "head_bucket").status, 404)
  t.equal(fails(world, "NoSuchBucket", "get_bucket_location").message, "The specified bucket does not exist")
end)

t.test("the first region has no location and needs none", function()
  local world = t.world { seed = 1, region = "us-east-1" }
  call(world, "create_bucket")
  t.equal(call(world, "get_bucket_location").location_constraint, nil)
end)

t.test("names, locations and ownership are checked", function()
  local world = with_bucket()
  for _, name in ipairs { "ab", "Upper", "-a-", "a..b", "10.0.0.1", "under_score" } do
    fails(world, "InvalidBucketName", "create_bucket", { bucket = name, create_bucket_configuration = here })
  end
  t.equal(fails(world, "BucketAlreadyOwnedByYou", "create_bucket", { create_bucket_configuration = here }).status, 409)
  fails(world, "IllegalLocationConstraintException", "create_bucket", { bucket = "other" })
  fails(world, "IllegalLocationConstraintException", "create_bucket", {
    bucket = "other", create_bucket_configuration = { location_constraint = "eu-north-1" },
  })
end)

t.test("a bucket with objects is not deleted", function()
  local world = with_bucket()
  call(world, "put_object", { key = "a", body = "1" })
  fails(world, "BucketNotEmpty", "delete_bucket")
  call(world, "delete_object", { key = "a" })
  call(world, "delete_bucket")
end)

t.test("settings are kept and their absence has names", function()
  local world = with_bucket()
  fails(world, "NoSuchBucketPolicy", "get_bucket_policy")
  fails(world, "MalformedPolicy", "put_bucket_policy", { policy = "no" })
  call(world, "put_bucket_policy", { policy = '{"Statement":[]}' })
  t.equal(call(world, "get_bucket_policy"), { policy = '{"Statement":[]}' })
  call(world, "delete_bucket_policy")
  fails(world, "NoSuchBucketPolicy", "get_bucket_policy")
  fails(world, "NoSuchPublicAccessBlockConfiguration", "get_public_access_block")
  fails(world, "NoSuchTagSet", "get_bucket_tagging")
  call(world, "put_bucket_tagging", { tagging = { tag_set = { { key = "a", value = "b" } } } })
  t.equal(call(world, "get_bucket_tagging").tag_set, { { key = "a", value = "b" } })
  t.equal(call(world, "get_bucket_versioning"), {})
  call(world, "put_bucket_versioning", { versioning_configuration = { status = "Enabled" } })
  t.equal(call(world, "get_bucket_versioning"), { status = "Enabled" })
end)

t.test("a bucket is encrypted from the beginning, and as it was told after", function()
  local world = with_bucket()
  local rule = call(world, "get_bucket_encryption").server_side_encryption_configuration.rules[1]
  t.equal(rule.apply_server_side_encryption_by_default.sse_algorithm, "AES256")
  call(world, "put_bucket_encryption", { server_side_encryption_configuration = {
    rules = { { apply_server_side_encryption_by_default = { sse_algorithm = "aws:kms" } } },
  } })
  t.equal(call(world, "put_object", { key = "a", body = "1" }).server_side_encryption, "aws:kms")
end)

-- ---- objects -------------------------------------------------------------------------------------

t.test("an object comes back byte for byte, with what was said of it", function()
  local world = with_bucket()
  local body = "\0\255hello\r\n"
  local put = call(world, "put_object", {
    key = "a/b.json", body = body, content_type = "application/json", metadata = { ["x"] = "y" },
  })
  local got = call(world, "get_object", { key = "a/b.json" })
  t.equal(got.body, body)
  t.equal(got.content_type, "application/json")
  t.equal(got.content_length, #body)
  t.equal(got.metadata, { x = "y" })
  t.equal(got.e_tag, put.e_tag)
  local head = call(world, "head_object", { key = "a/b.json" })
  got.body = nil
  t.equal(head, got)
  t.equal(s3.read(world, "assets", "a/b.json"), body)
end)

t.test("the tag is the MD5 of the body, and a wrong digest is refused", function()
  local world = with_bucket()
  t.equal(call(world, "put_object", { key = "h", body = "hello", content_md5 = "XUFAKrxLKna5cZ2REBfFkg==" }).e_tag,
    '"5d41402abc4b2a76b9719d911017c592"')
  fails(world, "BadDigest", "put_object", { key = "h", body = "hellO", content_md5 = "XUFAKrxLKna5cZ2REBfFkg==" })
  fails(world, "InvalidDigest", "put_object", { key = "h", body = "hello", content_md5 = "short" })
end)

t.test("missing keys and buckets have their own errors", function()
  local world = with_bucket()
  t.equal(fails(world, "NoSuchKey", "get_object", { key = "no" }).message, "The specified key does not exist.")
  fails(world, "404", "head_object", { key = "no" })
  fails(world, "NoSuchBucket", "get_object", { bucket = "nobody", key = "no" })
  fails(world, "NoSuchBucket", "put_object", { bucket = "nobody", key = "no" })
  call(world, "delete_object", { key = "no" })
  t.equal({ s3.read(world, "nobody", "a") }, { nil, "NoSuchBucket" })
end)

t.test("parts of an object are given by range", function()
  local world = with_bucket()
  call(world, "put_object", { key = "a", body = "0123456789" })
  for range, want in pairs { ["bytes=2-4"] = "234", ["bytes=7-"] = "789", ["bytes=-3"] = "789", ["bytes=0-99"] = "0123456789" } do
    t.equal(call(world, "get_object", { key = "a", range = range }).body, want, range)
  end
  t.equal(call(world, "get_object", { key = "a", range = "bytes=2-4" }).content_range, "bytes 2-4/10")
  t.equal(fails(world, "InvalidRange", "get_object", { key = "a", range = "bytes=10-" }).status, 416)
end)

t.test("conditions hold or refuse", function()
  local world = with_bucket()
  local tag = call(world, "put_object", { key = "a", body = "1", if_none_match = "*" }).e_tag
  t.equal(fails(world, "PreconditionFailed", "put_object", { key = "a", body = "2", if_none_match = "*" }).status, 412)
  fails(world, "PreconditionFailed", "put_object", { key = "b", body = "2", if_match = tag })
  fails(world, "PreconditionFailed", "get_object", { key = "a", if_match = '"0"' })
  t.equal(fails(world, "NotModified", "get_object", { key = "a", if_none_match = tag }).status, 304)
  call(world, "put_object", { key = "a", body = "2", if_match = tag })
end)

t.test("bodies signed in chunks are put together", function()
  local world = with_bucket()
  call(world, "put_object", {
    key = "a", content_encoding = "aws-chunked",
    body = "5;chunk-signature=ab\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n",
  })
  local got = call(world, "get_object", { key = "a", checksum_mode = "ENABLED" })
  t.equal(got.body, "hello world")
  t.equal(got.content_encoding, nil)
  t.equal(got.checksum_crc32, "DUoRhQ==")
  t.equal(call(world, "get_object", { key = "a", checksum_mode = "ENABLED", range = "bytes=0-1" }).checksum_crc32, nil)
  fails(world, "IncompleteBody", "put_object", {
    key = "a", content_encoding = "aws-chunked", body = "9;chunk-signature=ab\r\nhello\r\n",
  })
end)

t.test("a copy has the body and the attributes of its source", function()
  local world = with_bucket()
  call(world, "put_object", { key = "a b", body = "1", content_type = "text/plain" })
  local copied = call(world, "copy_object", { key = "c", copy_source = "assets/a%20b" })
  t.truthy(copied.copy_object_result.e_tag)
  t.equal(call(world, "get_object", { key = "c" }).content_type, "text/plain")
  call(world, "copy_object", {
    key = "c", copy_source = "/assets/c", metadata_directive = "REPLACE", content_type = "text/html",
  })
  t.equal(call(world, "get_object", { key = "c" }).content_type, "text/html")
  fails(world, "InvalidRequest", "copy_object", { key = "c", copy_source = "assets/c" })
  fails(world, "NoSuchKey", "copy_object", { key = "d", copy_source = "assets/none" })
end)

t.test("several objects are deleted at once", function()
  local world = with_bucket()
  call(world, "put_object", { key = "a", body = "1" })
  local gone = call(world, "delete_objects", { delete = { objects = { { key = "a" }, { key = "b" } } } })
  t.equal(gone.deleted, { { key = "a" }, { key = "b" } })
  t.equal(call(world, "list_objects_v2").key_count, 0)
end)

-- ---- listing -------------------------------------------------------------------------------------

local function filled()
  local world = with_bucket()
  for _, key in ipairs { "b", "a/1", "a/2", "a/x/3", "c d" } do
    call(world, "put_object", { key = key, body = key })
  end
  return world
end

t.test("keys are listed in order, by prefix, with prefixes rolled up", function()
  local world = filled()
  t.equal(keys_of(call(world, "list_objects_v2")), { "a/1", "a/2", "a/x/3", "b", "c d" })
  local inside = call(world, "list_objects_v2", { prefix = "a/", delimiter = "/" })
  t.equal(keys_of(inside), { "a/1", "a/2" })
  t.equal(inside.common_prefixes, { { prefix = "a/x/" } })
  t.equal(inside.key_count, 3)
  t.equal(keys_of(call(world, "list_objects_v2", { prefix = "c", encoding_type = "url" })), { "c%20d" })
  t.equal(call(world, "list_objects_v2", { prefix = "zz", max_keys = 1 }).key_count, 0)
end)

t.test("pages follow each other without loss", function()
  local world = filled()
  local seen, token = {}, nil
  repeat
    local page = call(world, "list_objects_v2", { max_keys = 2, continuation_token = token })
    table.move(keys_of(page), 1, 9, #seen + 1, seen)
    token = page.next_continuation_token
    t.equal(page.is_truncated, token ~= nil)
  until not token
  t.equal(seen, { "a/1", "a/2", "a/x/3", "b", "c d" })
  fails(world, "InvalidArgument", "list_objects_v2", { continuation_token = "?" })
  local rolled = call(world, "list_objects_v2", { delimiter = "/", max_keys = 1 })
  t.equal(rolled.common_prefixes, { { prefix = "a/" } })
  rolled = call(world, "list_objects_v2", {
    delimiter = "/", max_keys = 1, continuation_token = rolled.next_continuation_token,
  })
  t.equal(keys_of(rolled), { "b" })
end)

t.test("the older listing and the versions agree", function()
  local world = filled()
  local first = call(world, "list_objects", { max_keys = 2 })
  t.equal(keys_of(first), { "a/1", "a/2" })
  t.equal(keys_of(call(world, "list_objects", { marker = "a/2" })), { "a/x/3", "b", "c d" })
  local versions = call(world, "list_object_versions", { prefix = "b" }).versions
  t.equal({ versions[1].key, versions[1].version_id, versions[1].is_latest }, { "b", "null", true })
end)

t.finish()
