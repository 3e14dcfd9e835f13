--- What the metrics tell of the traffic through a load balancer, and the alarms that follow.

local t = dofile "tests/sim/harness.lua"
local cloudwatch = require "sim.cloudwatch"
local control = require "sim.control"
local elbv2 = require "sim.elbv2"

local function shop(more)
  local world = t.world { seed = 2 }
  local fields = { app = "shop", env = "dev", desired = 2, alarms = true }
  for key, value in pairs(more or {}) do
    fields[key] = value
  end
  control.service(world, fields)
  return world
end

-- Dimensions of the balancer, or of its target group.
local function dimensions(world, with_group)
  local balancer = t.call(world, "elbv2", "describe_load_balancers").load_balancers[1]
  local group = t.call(world, "elbv2", "describe_target_groups").target_groups[1]
  local list = { { name = "LoadBalancer", value = balancer.load_balancer_arn:match("loadbalancer/(.*)$") } }
  if with_group then
    list[2] = { name = "TargetGroup", value = group.target_group_arn:match("(targetgroup/.*)$") }
  end
  return list, balancer.dns_name
end

-- The statistic over the last whole period of `minutes`, in one point; nil when there is none.
local function metric(world, name, statistic, minutes, with_group)
  local now = world:now() // (minutes * 60) * minutes * 60
  local points = t.call(world, "cloudwatch", "get_metric_statistics", {
    namespace = "AWS/ApplicationELB", metric_name = name, dimensions = dimensions(world, with_group),
    start_time = now - minutes * 60, end_time = now, period = minutes * 60, statistics = { statistic },
  }).datapoints
  return points[1] and points[1][statistic:lower()]
end

t.test("an ordinary day: both targets healthy, every request answered, no codes that did not occur", function()
  local world = shop()
  t.advance(world, 600)
  t.equal(metric(world, "HealthyHostCount", "Minimum", 5, true), 2)
  t.equal(metric(world, "UnHealthyHostCount", "Maximum", 5, true), 0)
  t.equal(metric(world, "RequestCount", "Sum", 5), 300)
  t.equal(metric(world, "HTTPCode_Target_2XX_Count", "Sum", 5, true), 300)
  t.equal(metric(world, "HTTPCode_Target_5XX_Count", "Sum", 5), nil)
  t.equal(metric(world, "HTTPCode_ELB_5XX_Count", "Sum", 5), nil)
  t.near(metric(world, "TargetResponseTime", "Average", 5), 0.012, 0.0001)
  t.equal(metric(world, "RequestCountPerTarget", "Sum", 5, true), 150)
end)

t.test("requests and errors are as a scenario says", function()
  local world = shop()
  control.requests(world, { load_balancer = "shop-dev", per_minute = 1000 })
  control.behave(world, { container = "shop", error_rate = 10, latency = "2s" })
  t.advance(world, 600)
  t.near(metric(world, "HTTPCode_Target_5XX_Count", "Sum", 5), 500, 1)
  t.near(metric(world, "HTTPCode_Target_2XX_Count", "Sum", 5), 4500, 1)
  t.near(metric(world, "TargetResponseTime", "Average", 5), 2, 0.0001)
end)

t.test("the alarm on errors fires while there are many, and is well again afterwards", function()
  local world = shop()
  t.advance(world, 900)
  t.equal(cloudwatch.alarm_state(world, "shop-dev-high-error-rate"), "OK")
  control.requests(world, { load_balancer = "shop-dev", per_minute = 600 })
  control.behave(world, { container = "shop", error_rate = 20 })
  t.advance(world, 900)
  t.equal(cloudwatch.alarm_state(world, "shop-dev-high-error-rate"), "ALARM")
  control.behave(world, { container = "shop" })
  t.advance(world, 1200)
  t.equal(cloudwatch.alarm_state(world, "shop-dev-high-error-rate"), "OK")
end)

t.test("a request that somebody makes is counted", function()
  local world = shop()
  local _, dns = dimensions(world)
  t.advance(world, 120 - world:now() % 60)
  for _ = 1, 7 do
    t.equal(elbv2.http(world, { host = dns, path = "/" }).status, 200)
  end
  t.equal(elbv2.http(world, { host = dns, path = "/nothing" }).status, 404)
  t.advance(world, 61)
  t.equal(metric(world, "HTTPCode_Target_4XX_Count", "Sum", 1), 1)
  t.equal(metric(world, "RequestCount", "Sum", 1), 68)
end)

t.test("without tasks the balancer answers 503 and counts it as its own", function()
  local world = shop()
  control.someone_calls(world, { service = "ecs", operation = "update_service",
    input = { cluster = "shop-dev", service = "shop-dev", desired_count = 0 } })
  t.advance(world, 600)
  t.equal(metric(world, "HTTPCode_ELB_503_Count", "Sum", 2), 120)
  t.equal(metric(world, "HTTPCode_ELB_5XX_Count", "Sum", 2), 120)
  t.equal(metric(world, "HealthyHostCount", "Maximum", 2, true), 0)
  t.equal(metric(world, "HTTPCode_Target_2XX_Count", "Sum", 2), nil)
end)

t.test("requests of an ordinary minute follow the weights of the rule", function()
  local world = shop { strategy = "BLUE_GREEN" }
  local groups = t.call(world, "elbv2", "describe_target_groups").target_groups
  local advanced = t.call(world, "ecs", "describe_services", { cluster = "shop-dev", services = { "shop-dev" } })
    .services[1].load_balancers[1].advanced_configuration
  elbv2.weigh(world, advanced.production_listener_rule, {
    { target_group_arn = groups[1].target_group_arn, weight = 75 },
    { target_group_arn = groups[2].target_group_arn, weight = 25 },
  })
  elbv2.weigh(world, advanced.test_listener_rule, {
    { target_group_arn = groups[1].target_group_arn, weight = 0 },
    { target_group_arn = groups[2].target_group_arn, weight = 100 },
  })
  t.advance(world, 300)
  t.equal(metric(world, "RequestCount", "Sum", 1, true), nil, "the rule for tests does not count")
  elbv2.weigh(world, advanced.test_listener_rule, {
    { target_group_arn = groups[1].target_group_arn, weight = 1 },
    { target_group_arn = groups[2].target_group_arn, weight = 1 },
  })
  t.advance(world, 300)
  t.equal(metric(world, "RequestCount", "Sum", 1, true), 40, "half for the least, against a quarter")
end)

t.finish()
