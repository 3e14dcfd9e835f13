--- What the simulator's tests share: they run with plain lua5.4, the simulator inside them as in the sandbox.
--
--     local t = dofile "tests/sim/harness.lua"
--     t.test("an unknown cluster is refused", function()
--       local world = t.world { seed = 1 }
--       t.raises("ClusterNotFoundException", function()
--         return world:call("ecs", "list_services", { cluster = "no" }, t.caller)
--       end)
--     end)
--     t.finish()
--
-- Modules `sim.*` see only what the sandbox gives them, and `pairs` walks in another order each time, so
-- that code which depends on its order does not pass for long.

local model = dofile "tests/sim/model.lua"

local harness = { passed = 0, failed = 0, skipped = 0 }

--- Who calls when a test does not care.
harness.caller = {
  access_key = "AKIAIOSFODNN7EXAMPLE",
  arn = "arn:aws:iam::123456789012:user/tester",
  request_id = "00000000-0000-4000-8000-000000000001",
}

-- ---- the sandbox ---------------------------------------------------------------------------------

-- Walks in any order but a useful one.
local function shuffled_pairs(map)
  local keys = {}
  for key in next, map do
    table.insert(keys, math.random(#keys + 1), key)
  end
  local index = 0
  return function()
    index = index + 1
    if keys[index] ~= nil then
      return keys[index], map[keys[index]]
    end
  end
end

local function sandbox()
  local quiet_math = {} -- chance is world:random()
  for name, value in next, math do
    if name ~= "random" and name ~= "randomseed" then
      quiet_math[name] = value
    end
  end
  local allowed = {
    assert = assert, error = error, getmetatable = getmetatable, ipairs = ipairs, next = next,
    pairs = shuffled_pairs, pcall = pcall, rawequal = rawequal, rawget = rawget, rawlen = rawlen,
    select = select, setmetatable = setmetatable, tonumber = tonumber, tostring = tostring, type = type,
    xpcall = xpcall, math = quiet_math, string = string, table = table, utf8 = utf8, print = print,
    require = require,
  }
  return setmetatable({}, {
    __index = function(_, name)
      local value = allowed[name]
      if value == nil then
        error("the sandbox has no '" .. tostring(name) .. "'", 2)
      end
      return value
    end,
    __newindex = function(_, name)
      error("no globals: '" .. tostring(name) .. "'", 2)
    end,
  })
end

-- Text is never a number by itself.
local text_methods = getmetatable("")
for _, event in ipairs { "add", "sub", "mul", "div", "idiv", "mod", "pow", "unm" } do
  text_methods["__" .. event] = nil
end

-- What the host of the product gives.
package.preload["sim.native"] = function()
  return { sha256 = dofile "tests/sim/sha256.lua", md5 = dofile "tests/sim/md5.lua" }
end

table.insert(package.searchers, 2, function(name)
  if not name:match("^sim%.[%w_.]+$") then
    return nil
  end
  local path = "lua/" .. name:gsub("%.", "/") .. ".lua"
  local file = io.open(path)
  if not file then
    if os.getenv("MOONBOOK_SIM_STUB") then -- for work on one service while another is being written
      return function() return { operations = {}, handlers = {} } end
    end
    return "\n\tno file '" .. path .. "'"
  end
  local source = file:read("a")
  file:close()
  return assert(load(source, "@" .. path, "t", sandbox()))
end)

-- ---- worlds --------------------------------------------------------------------------------------

-- A call whose input or output a client could not send or would not see is a defect.
local function checked_call(world, service, operation, input, caller)
  local answer = getmetatable(world).call(world, service, operation, input, caller)
  if answer.output then
    local problem = model.problem(service, operation, "input", input or {})
      or model.problem(service, operation, "output", answer.output)
    if problem then
      error(problem, 2)
    end
  end
  return answer
end

--- A new world. `options` as for sim.world.new. What goes in and out of its operations must fit the
-- models of the services.
function harness.world(options)
  local world = require("sim.world").new(options or { seed = 1 })
  world.call = checked_call
  return world
end

--- Does an operation that must succeed; gives its output.
function harness.call(world, service, operation, input)
  local answer = world:call(service, operation, input or {}, harness.caller)
  if answer.error then
    error(("%s.%s: %s: %s"):format(service, operation, answer.error.code, answer.error.message), 2)
  end
  return answer.output
end

--- Moves the clock by seconds.
function harness.advance(world, seconds)
  world:advance_to(world:now() + seconds)
end

-- ---- showing -------------------------------------------------------------------------------------

--- Any value as text, keys in order.
function harness.show(value, depth)
  if type(value) ~= "table" then
    local whole = math.type(value) == "float" and math.tointeger(value) -- 2.0 is 2 to every client
    return type(value) == "string" and ("%q"):format(value) or tostring(whole or value)
  end
  if (depth or 0) > 20 then
    return "..."
  end
  local keys, out = {}, {}
  for key in next, value do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    if type(a) == type(b) then
      return a < b
    end
    return type(a) == "number"
  end)
  for _, key in ipairs(keys) do
    local name = type(key) == "number" and "" or tostring(key) .. " = "
    out[#out + 1] = name .. harness.show(value[key], (depth or 0) + 1)
  end
  return "{" .. table.concat(out, ", ") .. "}"
end

-- ---- claims --------------------------------------------------------------------------------------

--- Fails unless `got` is `want`, deeply.
function harness.equal(got, want, what)
  local a, b = harness.show(got), harness.show(want)
  if a ~= b then
    error(("%sgot %s, want %s"):format(what and what .. ": " or "", a, b), 2)
  end
end

--- Fails unless `value` is true or something.
function harness.truthy(value, what)
  if not value then
    error((what or "value") .. " is " .. tostring(value), 2)
  end
  return value
end

--- Fails unless text holds `part`, as it stands.
function harness.contains(text, part)
  if type(text) ~= "string" or not text:find(part, 1, true) then
    error(("%s does not hold %q"):format(harness.show(text), part), 2)
  end
end

--- Fails unless `got` is within `slack` of `want`.
function harness.near(got, want, slack, what)
  if type(got) ~= "number" or math.abs(got - want) > slack then
    error(("%sgot %s, want %s give or take %s"):format(
      what and what .. ": " or "", tostring(got), tostring(want), tostring(slack)), 2)
  end
end

--- Fails unless `fn` returns what world:call gives with this error code, or raises a failure with it.
-- Gives the error.
function harness.raises(code, fn)
  local ok, result = pcall(fn)
  local failure
  if ok then
    failure = type(result) == "table" and result.error or nil
  elseif type(result) == "table" and result.sim_failure then
    failure = result
  else
    error(result, 0)
  end
  if not failure then
    error(("no error, want %s"):format(code), 2)
  elseif failure.code ~= code then
    error(("got error %s: %s, want %s"):format(failure.code, tostring(failure.message), code), 2)
  end
  return failure
end

-- ---- running -------------------------------------------------------------------------------------

--- Runs one test; its name is the claim that it makes.
function harness.test(name, fn)
  local number = harness.passed + harness.failed + harness.skipped + 1
  local ok, err = xpcall(fn, function(problem)
    return debug.traceback(type(problem) == "table" and harness.show(problem) or tostring(problem), 2)
  end)
  if ok then
    harness.passed = harness.passed + 1
    print(("ok %d - %s"):format(number, name))
  else
    harness.failed = harness.failed + 1
    print(("not ok %d - %s"):format(number, name))
    print("# " .. err:gsub("\n", "\n# "))
  end
end

--- Leaves a test out, with the reason.
function harness.skip(name, reason)
  harness.skipped = harness.skipped + 1
  local number = harness.passed + harness.failed + harness.skipped
  print(("ok %d - %s # SKIP %s"):format(number, name, reason))
end

--- Says how it went and ends the program. Every test file ends with this.
function harness.finish()
  print(("1..%d"):format(harness.passed + harness.failed + harness.skipped))
  print(("%d passed, %d failed, %d skipped"):format(harness.passed, harness.failed, harness.skipped))
  os.exit(harness.failed == 0 and harness.passed > 0)
end

return harness
