--- Load balancing: groups, listeners, rules, and the health of targets as time passes.

local t = dofile "tests/sim/harness.lua"
local app = require "sim.app"
local elbv2 = require "sim.elbv2"
local faults = require "sim.faults"

local function vpc_of(world)
  return t.call(world, "ec2", "describe_vpcs").vpcs[1].vpc_id
end

local function subnets_of(world)
  local ids = {}
  for index, subnet in ipairs(t.call(world, "ec2", "describe_subnets").subnets) do
    ids[index] = subnet.subnet_id
  end
  return ids
end

local function make_group(world, more)
  local input = { name = "web", protocol = "HTTP", port = 3000, vpc_id = vpc_of(world), target_type = "ip",
    health_check_path = "/api/healthz", health_check_interval_seconds = 15, unhealthy_threshold_count = 3 }
  for key, value in pairs(more or {}) do
    input[key] = value
  end
  return t.call(world, "elbv2", "create_target_group", input).target_groups[1].target_group_arn
end

local function make_balancer(world, group)
  local balancer = t.call(world, "elbv2", "create_load_balancer",
    { name = "front", subnets = subnets_of(world) }).load_balancers[1]
  local listener = group and t.call(world, "elbv2", "create_listener", {
    load_balancer_arn = balancer.load_balancer_arn, protocol = "HTTP", port = 80,
    default_actions = { { type = "forward", target_group_arn = group } },
  }).listeners[1]
  return balancer, listener
end

-- A world with one target at 10.0.0.9 behind a balancer; the application runs unless told otherwise.
local function with_target(behaviour, more)
  local world = t.world { seed = 7 }
  local group = make_group(world, more)
  local balancer = make_balancer(world, group)
  if behaviour then
    faults.set(world, "behaviour", "web:1", behaviour)
  end
  app.start(world, "10.0.0.9", 3000, "web:1", "web")
  t.advance(world, 5)
  elbv2.register(world, group, { id = "10.0.0.9", port = 3000 })
  return world, group, balancer
end

local function health(world, group)
  local list = t.call(world, "elbv2", "describe_target_health", { target_group_arn = group }).target_health_descriptions
  return list[1] and list[1].target_health, list[1]
end

local function state(world, group)
  local found = health(world, group)
  return found and found.state
end

t.test("a target group has the defaults of the service", function()
  local world = t.world()
  local group = t.call(world, "elbv2", "create_target_group",
    { name = "plain", protocol = "HTTP", port = 80, vpc_id = vpc_of(world), target_type = "ip" }).target_groups[1]
  t.equal({ group.health_check_interval_seconds, group.health_check_timeout_seconds, group.healthy_threshold_count,
    group.unhealthy_threshold_count, group.matcher.http_code, group.health_check_path, group.health_check_port },
    { 30, 5, 5, 2, "200", "/", "traffic-port" })
  t.truthy(group.target_group_arn:match("^" .. world:arn("elasticloadbalancing", "targetgroup/plain/"):gsub("%-", "%%-")
    .. "%x+$"))
  t.equal(elbv2.delay(world, group.target_group_arn), 300)
end)

t.test("a target is registering, then checked, then healthy after one good check", function()
  local world, group = with_target()
  t.equal(health(world, group), { state = "initial", reason = "Elb.RegistrationInProgress",
    description = "Target registration is in progress" })
  t.advance(world, 1.05)
  t.equal(health(world, group), { state = "initial", reason = "Elb.InitialHealthChecking",
    description = "Initial health checks in progress" })
  t.advance(world, 1)
  t.equal(health(world, group), { state = "healthy" })
  local _, whole = health(world, group)
  t.equal(whole.target, { id = "10.0.0.9", port = 3000, availability_zone = "eu-west-1a" })
  t.equal(whole.health_check_port, "3000")
end)

t.test("a target that never passes is unhealthy after the threshold, with the code that it gave", function()
  local world, group = with_target({ paths = { ["/"] = 200 } })
  t.advance(world, 29)
  t.equal(state(world, group), "initial")
  t.advance(world, 4)
  t.equal(health(world, group), { state = "unhealthy", reason = "Target.ResponseCodeMismatch",
    description = "Health checks failed with these codes: [404]" })
end)

t.test("nothing that listens is a failed check, a hang is a timeout", function()
  local world, group = with_target({ start_seconds = 1000 })
  t.advance(world, 40)
  t.equal(health(world, group), { state = "unhealthy", reason = "Target.FailedHealthChecks",
    description = "Health checks failed" })
  world, group = with_target({ hang = true })
  t.advance(world, 40)
  t.equal(health(world, group), { state = "unhealthy", reason = "Target.Timeout", description = "Request timed out" })
end)

t.test("an answer slower than the timeout is a timeout", function()
  local world, group = with_target({ latency = 6 })
  t.advance(world, 40)
  t.equal(health(world, group).reason, "Target.Timeout")
end)

t.test("a slow start becomes healthy when it listens, if the threshold has not been reached", function()
  local world, group = with_target({ start_seconds = 30 })
  t.advance(world, 24)
  t.equal(state(world, group), "initial")
  t.advance(world, 10)
  t.equal(state(world, group), "healthy")
end)

t.test("coming back takes the healthy threshold", function()
  local world, group = with_target({ status = 500 })
  t.advance(world, 40)
  t.equal(state(world, group), "unhealthy")
  faults.set(world, "behaviour", "web:1", nil)
  t.advance(world, 4 * 15)
  t.equal(state(world, group), "unhealthy")
  t.advance(world, 16)
  t.equal(state(world, group), "healthy")
end)

t.test("a healthy target that breaks is noticed after threshold times interval", function()
  local world, group = with_target()
  t.advance(world, 100)
  faults.set(world, "behaviour", "web:1", { status = 503 })
  t.advance(world, 29)
  t.equal(state(world, group), "healthy")
  t.advance(world, 17)
  t.equal(state(world, group), "unhealthy")
end)

t.test("a container that is gone fails its checks", function()
  local world, group = with_target()
  t.advance(world, 100)
  app.stop(world, "10.0.0.9")
  t.advance(world, 46)
  t.equal(health(world, group).reason, "Target.FailedHealthChecks")
end)

t.test("a steady world has nothing to come", function()
  local world = with_target()
  t.advance(world, 600)
  t.equal(world:next_event(), nil)
end)

t.test("an unsteady application goes on being checked", function()
  local world = with_target({ error_rate = 30 })
  t.advance(world, 600)
  t.near(world:next_event() - world:now(), 7.5, 7.6)
end)

t.test("a deregistered target drains for the group's delay, then is not registered", function()
  local world, group = with_target()
  t.call(world, "elbv2", "modify_target_group_attributes", { target_group_arn = group,
    attributes = { { key = "deregistration_delay.timeout_seconds", value = "30" } } })
  t.advance(world, 10)
  t.call(world, "elbv2", "deregister_targets", { target_group_arn = group, targets = { { id = "10.0.0.9" } } })
  t.equal(health(world, group), { state = "draining", reason = "Target.DeregistrationInProgress",
    description = "Target deregistration is in progress" })
  t.advance(world, 29.9)
  t.equal(state(world, group), "draining")
  t.advance(world, 0.2)
  t.equal(state(world, group), nil)
  local asked = t.call(world, "elbv2", "describe_target_health",
    { target_group_arn = group, targets = { { id = "10.0.0.9", port = 3000 } } }).target_health_descriptions[1]
  t.equal(asked.target_health, { state = "unused", reason = "Target.NotRegistered",
    description = "Target is not registered to the target group" })
end)

t.test("registering again while it drains starts over", function()
  local world, group = with_target()
  t.advance(world, 10)
  elbv2.deregister(world, group, { id = "10.0.0.9", port = 3000 })
  t.advance(world, 10)
  elbv2.register(world, group, { id = "10.0.0.9", port = 3000 })
  t.advance(world, 400)
  t.equal(state(world, group), "healthy")
end)

t.test("targets of a group that nobody forwards to are unused, until somebody does", function()
  local world = t.world()
  local group = make_group(world)
  app.start(world, "10.0.0.9", 3000, "web:1", "web")
  elbv2.register(world, group, { id = "10.0.0.9", port = 3000 })
  t.advance(world, 60)
  t.equal(health(world, group).reason, "Target.NotInUse")
  local _, listener = make_balancer(world, group)
  t.advance(world, 5)
  t.equal(state(world, group), "healthy")
  t.call(world, "elbv2", "delete_listener", { listener_arn = listener.listener_arn })
  t.equal(state(world, group), "unused")
end)

t.test("the check follows a changed path and matcher", function()
  local world, group = with_target({ paths = { ["/api/healthz"] = 204 } })
  t.advance(world, 60)
  t.equal(state(world, group), "unhealthy")
  t.call(world, "elbv2", "modify_target_group", { target_group_arn = group, matcher = { http_code = "200-299" },
    healthy_threshold_count = 2 })
  t.advance(world, 31)
  t.equal(state(world, group), "healthy")
end)

t.test("requests go to healthy targets; to all when none is; 503 when there is none", function()
  local world, group, balancer = with_target()
  local request = { host = balancer.dns_name, method = "GET", path = "/api/healthz" }
  t.advance(world, 10)
  local answer = elbv2.http(world, request)
  t.equal({ answer.status, answer.body }, { 200, '{"status":"ok"}' })
  faults.set(world, "behaviour", "web:1", { status = 500 })
  t.advance(world, 60)
  t.equal(state(world, group), "unhealthy")
  t.equal(elbv2.http(world, request).status, 500)
  elbv2.deregister(world, group, { id = "10.0.0.9", port = 3000 })
  answer = elbv2.http(world, request)
  t.equal(answer.status, 503)
  t.contains(answer.body, "503 Service Temporarily Unavailable")
  t.equal(elbv2.http(world, { host = "example.com", path = "/" }), nil)
end)

t.test("rules are tried by priority; redirect and fixed response answer by themselves", function()
  local world, _, balancer = with_target()
  local listener = t.call(world, "elbv2", "describe_listeners",
    { load_balancer_arn = balancer.load_balancer_arn }).listeners[1].listener_arn
  t.call(world, "elbv2", "create_rule", { listener_arn = listener, priority = 20,
    conditions = { { field = "path-pattern", values = { "/old/*" } } },
    actions = { { type = "redirect", redirect_config = { status_code = "HTTP_301", protocol = "HTTPS",
      port = "443" } } } })
  t.call(world, "elbv2", "create_rule", { listener_arn = listener, priority = 10,
    conditions = { { field = "path-pattern", values = { "/old/closed" } } },
    actions = { { type = "fixed-response", fixed_response_config = { status_code = "410", message_body = "gone" } } } })
  t.raises("PriorityInUse", function()
    return world:call("elbv2", "create_rule", { listener_arn = listener, priority = 10,
      conditions = { { field = "path-pattern", values = { "/x" } } },
      actions = { { type = "fixed-response", fixed_response_config = { status_code = "410" } } } }, t.caller)
  end)
  local host = balancer.dns_name .. ":80"
  t.equal(elbv2.http(world, { host = host, path = "/old/closed" }).status, 410)
  t.call(world, "elbv2", "create_rule", { listener_arn = listener, priority = 5,
    conditions = { { field = "query-string", query_string_config = { values = { { key = "beta", value = "on*" } } } } },
    actions = { { type = "fixed-response", fixed_response_config = { status_code = "451" } } } })
  t.equal(elbv2.http(world, { host = host, path = "/old/a", query = { beta = "one", x = "1" } }).status, 451)
  t.equal(elbv2.http(world, { host = host, path = "/", query = { beta = "off", x = "1" } }).status, 200)
  local moved = elbv2.http(world, { host = host, path = "/old/a", query = { b = "1" } })
  t.equal({ moved.status, moved.headers.location },
    { 301, ("https://%s:443/old/a?b=1"):format(balancer.dns_name:lower()) })
  t.equal(#t.call(world, "elbv2", "describe_rules", { listener_arn = listener }).rules, 4)
end)

t.test("weights of a default rule are the listener's as well, and decide who is asked", function()
  local world = t.world { seed = 1 }
  local first, second = make_group(world), make_group(world, { name = "other" })
  make_balancer(world, first)
  local balancer = t.call(world, "elbv2", "describe_load_balancers").load_balancers[1]
  local listener = t.call(world, "elbv2", "describe_listeners",
    { load_balancer_arn = balancer.load_balancer_arn }).listeners[1].listener_arn
  local rule = t.call(world, "elbv2", "describe_rules", { listener_arn = listener }).rules[1].rule_arn
  t.equal(elbv2.forwards(world, rule), { { target_group_arn = first, weight = 1 } })
  local weights = { { target_group_arn = first, weight = 0 }, { target_group_arn = second, weight = 9 } }
  t.equal(elbv2.weigh(world, rule, weights), true)
  t.equal(elbv2.forwards(world, rule), weights)
  t.equal(t.call(world, "elbv2", "describe_listeners", { listener_arns = { listener } })
    .listeners[1].default_actions[1].forward_config.target_groups, weights)
  t.equal({ elbv2.forwards(world, rule .. "x"), elbv2.weigh(world, rule .. "x", weights) }, { [2] = false })
end)

t.test("a new load balancer is provisioned for a while", function()
  local world = t.world()
  local balancer = make_balancer(world)
  t.equal(balancer.state.code, "provisioning")
  t.advance(world, 200)
  t.equal(t.call(world, "elbv2", "describe_load_balancers", { names = { "front" } }).load_balancers[1].state.code,
    "active")
end)

t.test("target groups for functions are not simulated, and that is said", function()
  t.contains(t.raises("NotSimulated", function()
    return t.world():call("elbv2", "create_target_group", { name = "f", target_type = "lambda" }, t.caller)
  end).message, "lambda")
end)

t.test("what is unknown has the service's own errors", function()
  local world = t.world()
  local arn = world:arn("elasticloadbalancing", "targetgroup/no/0123456789abcdef")
  local function call(operation, input)
    return function() return world:call("elbv2", operation, input, t.caller) end
  end
  t.equal(t.raises("TargetGroupNotFound", call("describe_target_health", { target_group_arn = arn })).message,
    "One or more target groups not found")
  t.raises("TargetGroupNotFound", call("describe_target_groups", { names = { "no" } }))
  t.equal(t.raises("LoadBalancerNotFound", call("describe_load_balancers", { names = { "no" } })).message,
    "One or more load balancers not found")
  t.raises("ListenerNotFound", call("delete_listener", { listener_arn = arn }))
  t.raises("ValidationError", call("describe_target_groups", { marker = "x" }))
  t.raises("ValidationError", call("create_target_group", { name = "x", target_type = "ip" }))
end)

t.test("a group in use stays; one with the same name and other settings is refused", function()
  local world, group = with_target()
  t.raises("ResourceInUse", function()
    return world:call("elbv2", "delete_target_group", { target_group_arn = group }, t.caller)
  end)
  t.equal(make_group(world), group)
  t.raises("DuplicateTargetGroupName", function()
    return world:call("elbv2", "create_target_group", { name = "web", protocol = "HTTP", port = 1,
      vpc_id = vpc_of(world),
      target_type = "ip" }, t.caller)
  end)
  t.raises("InvalidTarget", function()
    return world:call("elbv2", "register_targets", { target_group_arn = group,
      targets = { { id = "192.168.0.1" } } }, t.caller)
  end)
end)

t.finish()
