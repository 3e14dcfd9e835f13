--- Secrets Manager.

local t = dofile "tests/sim/harness.lua"
local faults = require "sim.faults"
local secretsmanager = require "sim.secretsmanager"

local function refused(world, operation, input)
  return function() return world:call("secretsmanager", operation, input, t.caller) end
end

local function create(world, name, value)
  return t.call(world, "secretsmanager", "create_secret", { name = name, secret_string = value })
end

local function value(world, input)
  return t.call(world, "secretsmanager", "get_secret_value", input).secret_string
end

t.test("a secret is read by name, ARN and ARN without its six characters", function()
  local world = t.world()
  local arn = create(world, "shop/db", "one").arn
  t.truthy(arn:match("^arn:aws:secretsmanager:eu%-west%-1:123456789012:secret:shop/db%-%w%w%w%w%w%w$"))
  for _, id in ipairs { "shop/db", arn, (arn:sub(1, -8)) } do
    t.equal(value(world, { secret_id = id }), "one")
  end
end)

t.test("unknown, without a value, and deleted secrets have their own texts", function()
  local world = t.world()
  t.equal(t.raises("ResourceNotFoundException", refused(world, "get_secret_value", { secret_id = "no" })).message,
    "Secrets Manager can't find the specified secret.")
  create(world, "bare")
  t.equal(t.raises("ResourceNotFoundException", refused(world, "get_secret_value", { secret_id = "bare" })).message,
    "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT")
  t.call(world, "secretsmanager", "delete_secret", { secret_id = "bare" })
  t.equal(t.raises("InvalidRequestException", refused(world, "get_secret_value", { secret_id = "bare" })).message,
    "You can't perform this operation on the secret because it was marked for deletion.")
end)

t.test("clients see what a scenario says of a secret: gone, or without a version", function()
  local world = t.world()
  create(world, "db", "one")
  faults.set(world, "secret", "db", "no_version")
  t.equal(t.call(world, "secretsmanager", "describe_secret", { secret_id = "db" }).version_ids_to_stages, {})
  faults.set(world, "secret", "db", "missing")
  t.raises("ResourceNotFoundException", refused(world, "describe_secret", { secret_id = "db" }))
  faults.set(world, "secret", "db", nil)
  t.equal(t.call(world, "secretsmanager", "get_resource_policy", { secret_id = "db" }).resource_policy, nil)
end)

t.test("a new value is current, the one before previous, older ones are forgotten", function()
  local world = t.world()
  create(world, "db", "one")
  for _, text in ipairs { "two", "three" } do
    t.call(world, "secretsmanager", "put_secret_value", { secret_id = "db", secret_string = text })
  end
  t.equal(value(world, { secret_id = "db" }), "three")
  t.equal(value(world, { secret_id = "db", version_stage = "AWSPREVIOUS" }), "two")
  t.equal(#t.call(world, "secretsmanager", "list_secret_version_ids", { secret_id = "db" }).versions, 2)
end)

t.test("a pending version becomes current when its stage moves", function()
  local world = t.world()
  local first = create(world, "db", "one").version_id
  local second = t.call(world, "secretsmanager", "put_secret_value",
    { secret_id = "db", secret_string = "two", version_stages = { "AWSPENDING" } }).version_id
  t.equal(value(world, { secret_id = "db" }), "one")
  local move = { secret_id = "db", version_stage = "AWSCURRENT", move_to_version_id = second }
  t.raises("InvalidParameterException", refused(world, "update_secret_version_stage", move))
  move.remove_from_version_id = first
  t.call(world, "secretsmanager", "update_secret_version_stage", move)
  t.equal(value(world, { secret_id = "db" }), "two")
  t.equal(value(world, { secret_id = "db", version_stage = "AWSPREVIOUS" }), "one")
end)

t.test("the same token twice is one version; with another value it is refused", function()
  local world = t.world()
  create(world, "db", "one")
  local token = "12345678-1234-1234-1234-123456789012"
  local input = { secret_id = "db", secret_string = "two", client_request_token = token }
  t.call(world, "secretsmanager", "put_secret_value", input)
  t.call(world, "secretsmanager", "put_secret_value", input)
  t.equal(#t.call(world, "secretsmanager", "list_secret_version_ids", { secret_id = "db" }).versions, 2)
  input.secret_string = "three"
  t.raises("ResourceExistsException", refused(world, "put_secret_value", input))
end)

t.test("deletion waits for its window and can be taken back", function()
  local world = t.world()
  create(world, "db", "one")
  t.call(world, "secretsmanager", "delete_secret", { secret_id = "db", recovery_window_in_days = 7 })
  t.raises("InvalidRequestException", refused(world, "create_secret", { name = "db" }))
  t.call(world, "secretsmanager", "restore_secret", { secret_id = "db" })
  t.advance(world, 8 * 86400)
  t.equal(value(world, { secret_id = "db" }), "one")
  t.call(world, "secretsmanager", "delete_secret", { secret_id = "db", recovery_window_in_days = 7 })
  t.advance(world, 8 * 86400)
  t.raises("ResourceNotFoundException", refused(world, "describe_secret", { secret_id = "db" }))
end)

t.test("forced deletion is at once; a bad window is refused", function()
  local world = t.world()
  create(world, "db", "one")
  t.raises("InvalidParameterException", refused(world, "delete_secret", { secret_id = "db",
    recovery_window_in_days = 3 }))
  t.call(world, "secretsmanager", "delete_secret", { secret_id = "db", force_delete_without_recovery = true })
  create(world, "db", "two")
  t.equal(value(world, { secret_id = "db" }), "two")
end)

t.test("lists hide secrets that are being deleted, and filter by prefix", function()
  local world = t.world()
  for _, name in ipairs { "shop/a", "shop/b", "other" } do
    create(world, name, "x")
  end
  t.call(world, "secretsmanager", "delete_secret", { secret_id = "shop/b" })
  local function count(input)
    return #t.call(world, "secretsmanager", "list_secrets", input).secret_list
  end
  t.equal({ count {}, count { include_planned_deletion = true } }, { 2, 3 })
  t.equal(count { filters = { { key = "name", values = { "shop/" } } } }, 1)
  t.equal(count { filters = { { key = "name", values = { "!shop/" } } } }, 1)
end)

t.test("a task is told why it cannot read", function()
  local world = t.world()
  local role = "arn:aws:iam::123456789012:role/shop-execution"
  local arn = create(world, "db", "one").arn
  t.equal(secretsmanager.read(world, arn, role), "one")
  t.equal(select(2, secretsmanager.read(world, world:arn("secretsmanager", "secret:no-AbCdEf"), role)), "missing")
  t.equal(select(2, secretsmanager.read(world, create(world, "bare").arn, role)), "no_version")
  faults.set(world, "secret", "db", "denied")
  t.equal(select(2, secretsmanager.read(world, arn, role)), "denied")
end)

t.finish()
