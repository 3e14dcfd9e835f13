--- Parameter Store.

local t = dofile "tests/sim/harness.lua"
local faults = require "sim.faults"
local ssm = require "sim.ssm"

local function put(world, name, value, more)
  local input = { name = name, value = value, type = "String" }
  for key, item in pairs(more or {}) do
    input[key] = item
  end
  return t.call(world, "ssm", "put_parameter", input)
end

local function refused(world, operation, input)
  return function() return world:call("ssm", operation, input, t.caller) end
end

t.test("a parameter is read by name and by ARN, with its version", function()
  local world = t.world()
  t.equal(put(world, "/shop/dev/dns", "a.example").version, 1)
  local found = t.call(world, "ssm", "get_parameter", { name = "/shop/dev/dns" }).parameter
  t.equal({ found.value, found.version, found.type }, { "a.example", 1, "String" })
  t.equal(found.arn, "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/dev/dns")
  t.equal(t.call(world, "ssm", "get_parameter", { name = found.arn }).parameter.value, "a.example")
  put(world, "plain", "b")
  local plain = t.call(world, "ssm", "get_parameter", { name = "plain" }).parameter
  t.equal(plain.arn, "arn:aws:ssm:eu-west-1:123456789012:parameter/plain")
  t.equal(t.call(world, "ssm", "get_parameter", { name = plain.arn }).parameter.name, "plain")
end)

t.test("an unknown parameter is ParameterNotFound with an empty text", function()
  t.equal(t.raises("ParameterNotFound", refused(t.world(), "get_parameter", { name = "/no" })).message, "")
end)

t.test("overwriting makes a version, and only when asked", function()
  local world = t.world()
  put(world, "/a", "1")
  t.raises("ParameterAlreadyExists", refused(world, "put_parameter", { name = "/a", value = "2", type = "String" }))
  t.equal(put(world, "/a", "2", { overwrite = true }).version, 2)
  t.equal(t.call(world, "ssm", "get_parameter", { name = "/a:1" }).parameter.value, "1")
  t.raises("ParameterVersionNotFound", refused(world, "get_parameter", { name = "/a:7" }))
  t.equal(#t.call(world, "ssm", "get_parameter_history", { name = "/a" }).parameters, 2)
end)

t.test("labels name versions and move", function()
  local world = t.world()
  put(world, "/a", "1")
  put(world, "/a", "2", { overwrite = true })
  local function label(version)
    return t.call(world, "ssm", "label_parameter_version", { name = "/a", labels = { "live", "1bad" },
      parameter_version = version })
  end
  t.equal(label(1).invalid_labels, { "1bad" })
  t.equal(t.call(world, "ssm", "get_parameter", { name = "/a:live" }).parameter.value, "1")
  label(2)
  t.equal(t.call(world, "ssm", "get_parameter", { name = "/a:live" }).parameter.value, "2")
end)

t.test("the oldest version goes when there are a hundred", function()
  local world = t.world()
  for number = 1, 102 do
    put(world, "/a", tostring(number), { overwrite = true })
  end
  t.raises("ParameterVersionNotFound", refused(world, "get_parameter", { name = "/a:2" }))
  t.equal(t.call(world, "ssm", "get_parameter", { name = "/a:3" }).parameter.value, "3")
end)

t.test("a SecureString is shown only with decryption", function()
  local world = t.world()
  put(world, "/key", "hunter2", { type = "SecureString" })
  local sealed = t.call(world, "ssm", "get_parameter", { name = "/key" }).parameter.value
  t.truthy(sealed ~= "hunter2" and not sealed:find("hunter2"))
  t.equal(t.call(world, "ssm", "get_parameter", { name = "/key", with_decryption = true }).parameter.value, "hunter2")
end)

t.test("get_parameters says which names are invalid", function()
  local world = t.world()
  put(world, "/a", "1")
  local answer = t.call(world, "ssm", "get_parameters", { names = { "/a", "/b" } })
  t.equal({ #answer.parameters, answer.invalid_parameters }, { 1, { "/b" } })
end)

t.test("a path gives its own level, or all below it", function()
  local world = t.world()
  for _, name in ipairs { "/shop/dev/a", "/shop/dev/deep/b", "/shop/development/c" } do
    put(world, name, "x")
  end
  local function names(recursive)
    local out = {}
    for index, parameter in ipairs(t.call(world, "ssm", "get_parameters_by_path",
      { path = "/shop/dev", recursive = recursive }).parameters) do
      out[index] = parameter.name
    end
    return out
  end
  t.equal(names(false), { "/shop/dev/a" })
  t.equal(names(true), { "/shop/dev/a", "/shop/dev/deep/b" })
end)

t.test("paths are paged by ten", function()
  local world = t.world()
  for number = 1, 12 do
    put(world, ("/p/%02d"):format(number), "x")
  end
  local first = t.call(world, "ssm", "get_parameters_by_path", { path = "/p" })
  local second = t.call(world, "ssm", "get_parameters_by_path", { path = "/p", next_token = first.next_token })
  t.equal({ #first.parameters, #second.parameters, second.next_token }, { 10, 2 })
  t.raises("InvalidNextToken", refused(world, "get_parameters_by_path", { path = "/p", next_token = "zz" }))
end)

t.test("describe filters by name and path and never shows a value", function()
  local world = t.world()
  put(world, "/a/one", "secret-value")
  put(world, "/b/two", "other")
  local list = t.call(world, "ssm", "describe_parameters", {
    parameter_filters = { { key = "Name", option = "BeginsWith", values = { "/a" } } } }).parameters
  t.equal({ #list, list[1].name, list[1].value }, { 1, "/a/one" })
  list = t.call(world, "ssm", "describe_parameters", {
    parameter_filters = { { key = "Path", option = "OneLevel", values = { "/b" } } } }).parameters
  t.equal({ #list, list[1].name }, { 1, "/b/two" })
end)

t.test("bad names and types are refused", function()
  local world = t.world()
  t.raises("ValidationException", refused(world, "put_parameter", { name = "a b", value = "x", type = "String" }))
  t.raises("AccessDeniedException", refused(world, "put_parameter", { name = "/aws/x", value = "x", type = "String" }))
  t.raises("ValidationException", refused(world, "put_parameter", { name = "/a", value = "x" }))
  t.raises("UnsupportedParameterType", refused(world, "put_parameter", { name = "/a", value = "x", type = "Text" }))
  t.raises("ValidationException", refused(world, "put_parameter", { name = "/a", value = ("x"):rep(4097),
    type = "String" }))
end)

t.test("deleting says what was there", function()
  local world = t.world()
  put(world, "/a", "1")
  t.equal(t.call(world, "ssm", "delete_parameters", { names = { "/a", "/b" } }),
    { deleted_parameters = { "/a" }, invalid_parameters = { "/b" } })
  t.raises("ParameterNotFound", refused(world, "delete_parameter", { name = "/a" }))
end)

t.test("a task reads a parameter unless it is missing or denied", function()
  local world = t.world()
  put(world, "/a", "1")
  local role = "arn:aws:iam::123456789012:role/shop-execution"
  t.equal(ssm.read(world, "arn:aws:ssm:eu-west-1:123456789012:parameter/a", role), "1")
  t.equal({ ssm.read(world, "/b", role) }, { nil, "missing" })
  faults.set(world, "secret", "/a", "denied")
  t.equal(select(2, ssm.read(world, "/a", role)), "denied")
  faults.clear(world, "secret")
  faults.set(world, "denied", "shop-execution ssm:GetParameters", true)
  t.equal(select(2, ssm.read(world, "/a", role)), "denied")
  t.equal(ssm.read(world, "/a", "arn:aws:iam::123456789012:role/other"), "1")
end)

t.finish()
