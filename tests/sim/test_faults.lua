--- What goes wrong: in the world, and in its API.

local t = dofile "tests/sim/harness.lua"
local app = require "sim.app"
local control = require "sim.control"
local faults = require "sim.faults"

local function read(world, caller)
  return world:call("ssm", "get_parameter", { name = "/a" }, caller or t.caller)
end

local function with_parameter(seed)
  local world = t.world { seed = seed or 1 }
  control.parameter(world, { name = "/a", value = "1" })
  return world
end

-- ---- the world -----------------------------------------------------------------------------------

t.test("a fault is found by any name of its thing, the longest first, and by the star", function()
  local world = t.world()
  local image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app:v2"
  t.equal(faults.get(world, "image_missing", image), nil)
  faults.set(world, "image_missing", "*", "star")
  t.equal(faults.get(world, "image_missing", image), "star")
  faults.set(world, "image_missing", "app:v2", "short")
  t.equal(faults.get(world, "image_missing", image), "short")
  faults.set(world, "image_missing", "team/app:v2", "long")
  t.equal(faults.get(world, "image_missing", image), "long")
  faults.clear(world, "image_missing", "team/app:v2")
  t.equal(faults.get(world, "image_missing", image), "short")
  t.equal(faults.get(world, "image_missing", "other:v2"), "star")
  faults.set(world, "secret", "shop/db", "denied")
  t.equal(faults.get(world, "secret", "arn:aws:secretsmanager:eu-west-1:1:secret:shop/db-AbCdEf"), "denied")
  t.equal(faults.get(world, "secret", "arn:aws:ssm:eu-west-1:1:parameter/shop/db"), nil)
end)

t.test("an unknown kind is refused with the kinds there are", function()
  local world = t.world()
  local ok, err = pcall(faults.set, world, "flood", "x", true)
  t.equal(ok, false)
  t.contains(err, "image_missing")
end)

t.test("a fault begins and ends when it is said to", function()
  local world = t.world()
  control.fault(world, { kind = "capacity", key = "web", value = "unavailable", after = "1m", lasting = "30s" })
  local function now() return faults.get(world, "capacity", "web") end
  t.equal(now(), nil)
  t.advance(world, 60)
  t.equal(now(), "unavailable")
  t.advance(world, 29)
  t.equal(now(), "unavailable")
  t.advance(world, 1)
  t.equal(now(), nil)
end)

t.test("what containers do: all of them, of an image, of what its tag stands for, by name", function()
  local world = t.world()
  control.image(world, { name = "app:v1", latency = "2s" })
  local image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1"
  control.behave(world, { status = 500, latency = 1 })
  t.equal(app.behaviour(world, image, "web").status, 500)
  t.equal(app.behaviour(world, image, "web").latency, 2)
  control.image(world, { name = "app:v2", crash = { exit = 3, after = "8s" } })
  control.move_tag(world, { image = "app:v1", to = "app:v2" })
  t.equal(app.behaviour(world, image, "web").exit, { code = 3, after = 8 })
  t.equal(app.behaviour(world, image, "web").latency, 1)
  control.behave(world, { container = "web", status = 200 })
  t.equal(app.behaviour(world, image, "web").status, 200)
  t.equal(app.behaviour(world, image, "side").status, 500)
end)

t.test("an application listens when it has started, and answers as it behaves", function()
  local world = t.world()
  faults.set(world, "behaviour", "web:1", { start_seconds = 10, paths = { ["/ok"] = 200 }, latency = 0.3 })
  app.start(world, "10.0.0.5", 80, "web:1", "web")
  t.advance(world, 9.9)
  t.equal(app.probe(world, "10.0.0.5", 80, "/ok"), nil)
  t.advance(world, 0.1)
  t.equal(app.probe(world, "10.0.0.5", 80, "/ok?x=1"), { status = 200, seconds = 0.3 })
  t.equal(app.probe(world, "10.0.0.5", 80, "/no").status, 404)
  t.equal(app.probe(world, "10.0.0.5", 81, "/ok"), nil)
  app.stop(world, "10.0.0.5")
  t.equal(app.probe(world, "10.0.0.5", 80, "/ok"), nil)
end)

t.test("an error rate is met in the long run, the same for the same seed", function()
  local function run(seed)
    local world = t.world { seed = seed }
    faults.set(world, "behaviour", "*", { error_rate = 25 })
    app.start(world, "10.0.0.5", 80, "web:1", "web")
    t.advance(world, 1)
    local out = {}
    for number = 1, 400 do
      out[number] = app.probe(world, "10.0.0.5", 80, "/").status == 500 and "x" or "."
    end
    return table.concat(out)
  end
  local first = run(1)
  local _, failed = first:gsub("x", "")
  t.near(failed, 100, 30)
  t.equal(run(1), first)
  t.truthy(run(2) ~= first, "another seed gives another run")
end)

-- ---- the API -------------------------------------------------------------------------------------

t.test("throttling strikes so many times, or so often, in its time", function()
  local world = with_parameter()
  control.throttle(world, { service = "ssm", count = 2 })
  t.equal(t.raises("ThrottlingException", function() return read(world) end).message, "Rate exceeded")
  t.raises("ThrottlingException", function() return read(world) end)
  t.equal(read(world).error, nil)
  control.calm(world)
  control.throttle(world, { service = "ssm", percent = 30, after = "1m", lasting = "1m" })
  local function failures()
    local count = 0
    for _ = 1, 300 do
      count = count + (read(world).error and 1 or 0)
    end
    return count
  end
  t.equal(failures(), 0)
  t.advance(world, 60)
  t.near(failures(), 90, 30)
  t.advance(world, 60)
  t.equal(failures(), 0)
end)

t.test("only what a rule concerns uses up its count", function()
  local world = with_parameter()
  control.throttle(world, { service = "ssm", operation = "put_parameter", count = 1 })
  t.equal(read(world).error, nil)
  t.raises("ThrottlingException", function()
    return world:call("ssm", "put_parameter", { name = "/a", value = "2", overwrite = true }, t.caller)
  end)
end)

t.test("the first calls that a rule concerns are left alone when it says so", function()
  local world = with_parameter()
  control.throttle(world, { service = "ssm", operation = "get_parameter", skip = 2, count = 1 })
  t.equal(read(world).error, nil)
  world:call("ssm", "put_parameter", { name = "/a", value = "2", overwrite = true }, t.caller)
  t.equal(read(world).error, nil)
  t.raises("ThrottlingException", function() return read(world) end)
  t.equal(read(world).error, nil)
end)

t.test("codes are those of the service's protocol", function()
  local world = t.world()
  control.throttle(world, {})
  t.raises("Throttling", function() return world:call("sts", "get_caller_identity", {}, t.caller) end)
  t.raises("RequestLimitExceeded", function() return world:call("ec2", "describe_vpcs", {}, t.caller) end)
  control.calm(world)
  control.fail_calls(world, { service = "ecs" })
  t.equal(t.raises("ServerException", function() return world:call("ecs", "list_clusters", {},
    t.caller) end).status, 500)
  control.fail_calls(world, { service = "sts", code = "ServiceUnavailable", status = 503, message = "later" })
  local err = t.raises("ServiceUnavailable", function() return world:call("sts", "get_caller_identity", {},
    t.caller) end)
  t.equal({ err.status, err.message }, { 503, "later" })
  control.calm(world)
  control.expire_credentials(world, {})
  t.equal(t.raises("ExpiredToken", function() return world:call("elbv2", "describe_load_balancers", {},
    t.caller) end).status, 403)
  t.equal(t.raises("ExpiredTokenException", function() return read(world) end).status, 400)
end)

t.test("latency and cut answers come with the call done; a reset call is not done", function()
  local world = with_parameter()
  control.slow_calls(world, { by = "2s" })
  control.slow_calls(world, { by = "500ms" })
  control.cut_answers(world, { bytes = 7 })
  local answer = read(world)
  t.equal({ answer.output.parameter.value, answer.latency, answer.truncate }, { "1", 2.5, 7 })
  control.calm(world)
  control.reset_calls(world, { operation = "delete_parameter" })
  t.equal(world:call("ssm", "delete_parameter", { name = "/a" }, t.caller).reset, true)
  t.equal(read(world).output.parameter.value, "1")
end)

t.test("a refused action is named as IAM names it", function()
  local world = t.world()
  control.deny_calls(world, { action = "ecs:Update*" })
  local err = t.raises("AccessDeniedException", function()
    return world:call("ecs", "update_service", { cluster = "web", service = "api" }, t.caller)
  end)
  t.equal(err.message, "User: arn:aws:iam::123456789012:user/tester is not authorized to perform: ecs:UpdateService on "
    .. "resource: arn:aws:ecs:eu-west-1:123456789012:service/web/api because no identity-based policy allows the "
    .. "ecs:UpdateService action")
  t.equal(world:call("ecs", "list_clusters", {}, t.caller).error, nil)
  control.deny_calls(world, { action = "elasticloadbalancing:*" })
  t.equal(t.raises("AccessDenied", function() return world:call("elbv2", "describe_load_balancers", {},
    t.caller) end).status, 403)
end)

t.test("a wrong clock refuses signatures of the right time and takes those of its own", function()
  local world = with_parameter()
  control.skew_clock(world, { by = "10m" })
  local err = t.raises("InvalidSignatureException", function() return read(world) end)
  t.equal(err.message, "Signature expired: 20260101T000000Z is now earlier than 20260101T000500Z "
    .. "(20260101T001000Z - 5 min.)")
  t.equal(read(world).date, world:now() + 600)
  local corrected = { access_key = "A", arn = "a", request_id = "1", signed_at = world:now() + 600 }
  t.equal(read(world, corrected).output.parameter.value, "1")
end)

t.test("reads lag behind writes by the time said, and then see them", function()
  local world = with_parameter()
  control.lag_reads(world, { service = "ssm", by = "10s" })
  local function put(value)
    t.call(world, "ssm", "put_parameter", { name = "/a", value = value, overwrite = true })
  end
  local function seen() return read(world).output.parameter.value end
  t.advance(world, 1)
  put("2")
  t.equal(seen(), "1")
  t.advance(world, 6)
  put("3")
  t.equal(seen(), "1")
  t.advance(world, 5)
  t.equal(seen(), "2")
  t.advance(world, 6)
  t.equal(seen(), "3")
end)

t.test("what scenarios do is neither faulty nor written down", function()
  local world = t.world()
  control.fail_calls(world, {})
  control.parameter(world, { name = "/a", value = "1" })
  t.equal(#control.calls(world, {}), 0)
  control.calm(world)
  read(world)
  t.equal(#control.calls(world, {}), 1)
end)

t.test("calls are written down with their outcome and without secrets", function()
  local world = t.world()
  t.call(world, "secretsmanager", "create_secret", { name = "db", secret_string = "hunter2" })
  read(world)
  local calls = control.calls(world, { service = "secretsmanager" })
  t.equal({ calls[1].operation, calls[1].input.name, calls[1].input.secret_string, calls[1].outcome },
    { "create_secret", "db", "[secret]", "ok" })
  calls = control.calls(world, { operation = "get_parameter" })
  t.equal({ calls[1].outcome, calls[1].code, calls[1].time }, { "error", "ParameterNotFound", world:now() })
end)

t.test("an answer is changed for clients, as often as said, and the world is not", function()
  local world = with_parameter()
  control.change_answers(world, { service = "ssm", at = "parameter.value", is = "2", count = 1 })
  control.change_answers(world, { service = "ssm", at = "parameter.type", count = 1 })
  control.change_answers(world, { service = "ssm", at = "nothing.like.it", is = "3" })
  local changed = read(world).output
  t.equal({ changed.parameter.value, changed.parameter.type, changed.nothing }, { "2", nil, nil })
  t.equal(changed.parameter.name, "/a")
  local present = read(world).output.parameter
  t.equal({ present.value, present.type }, { "1", "String" })
end)

t.test("a change of answers needs the member, and takes what it becomes from a kept answer", function()
  local world = with_parameter()
  local ok, err = pcall(control.change_answers, world, { service = "ssm" })
  t.equal(ok, false)
  t.contains(err, "change_answers needs the field 'at'")
  control.someone_calls(world, { service = "ssm", operation = "get_parameter", input = { name = "/a" }, keep = "old" })
  control.parameter(world, { name = "/a", value = "2" })
  control.change_answers(world, { service = "ssm", at = "parameter", is = "${old.parameter}" })
  t.equal(read(world).output.parameter.value, "1")
end)

t.test("trouble of requests that are no AWS calls concerns no AWS call, and the other way round", function()
  local world = with_parameter()
  control.reset_calls(world, { service = "http", count = 1 })
  control.fail_calls(world, { service = "http", status = 403, message = "no" })
  t.equal(read(world).error, nil)
  t.equal(faults.of_pages(world), { reset = true })
  t.equal(faults.of_pages(world), { status = 403, body = "no" })
  control.calm(world)
  control.reset_calls(world, {})
  t.equal(faults.of_pages(world), nil)
end)

t.test("a field of the wrong type is refused by its name, whatever the command", function()
  local world = t.world()
  local wrong = { 1, true, { 1 } }
  for _, case in ipairs {
    { "delete_image", "image" }, { "deploy", "service" }, { "ask", "host" }, { "secret", "name" },
    { "parameter", "name" },
    { "requests", "load_balancer" }, { "no_route", "to" }, { "fault", "kind" }, { "at", "command" },
    { "throttle", "service" },
  } do
    for _, value in ipairs(wrong) do
      local ok, err = pcall(control[case[1]], world, { [case[2]] = value })
      t.equal(ok, false)
      t.contains(err, ("'%s' must be a string, and is a %s"):format(case[2], type(value)))
    end
  end
end)

t.test("a wrong field of a command is refused with the right ones", function()
  local ok, err = pcall(control.throttle, t.world(), { servise = "ecs" })
  t.equal(ok, false)
  t.contains(err, "throttle has no field 'servise'; it has action, after, count")
  ok, err = pcall(control.at, t.world(), { time = "soon", command = "throttle" })
  t.equal(ok, false)
  t.contains(err, "'time' is a number of seconds or a text")
end)

t.finish()
