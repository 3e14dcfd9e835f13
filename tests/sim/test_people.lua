--- What people and AWS do to a service, by its name; and what a deployment changes besides the image.

local t = dofile "tests/sim/harness.lua"
local control = require "sim.control"

local NAME = "shop-prod"

local function shop(more)
  local world = t.world { seed = 3 }
  local args = { app = "shop", env = "prod", desired = 2 }
  for key, value in pairs(more or {}) do
    args[key] = value
  end
  control.service(world, args)
  return world
end

local function service(world)
  return t.call(world, "ecs", "describe_services", { cluster = NAME, services = { NAME } }).services[1]
end

local function stopped(world)
  local arns = t.call(world, "ecs", "list_tasks",
    { cluster = NAME, service_name = NAME, desired_status = "STOPPED" }).task_arns
  return #arns > 0 and t.call(world, "ecs", "describe_tasks", { cluster = NAME, tasks = arns }).tasks or {}
end

local function definition(world)
  return t.call(world, "ecs", "describe_task_definition",
    { task_definition = service(world).task_definition }).task_definition
end

t.test("somebody stops one of two tasks, with a reason", function()
  local world = shop()
  control.stop_tasks(world, { service = NAME, count = 1, reason = "cleaning up" })
  local list = stopped(world)
  t.equal({ #list, list[1].stop_code, list[1].stopped_reason }, { 1, "UserInitiated", "cleaning up" })
end)

t.test("Fargate Spot takes all tasks", function()
  local world = shop()
  control.interrupt_tasks(world, { service = NAME })
  local list = stopped(world)
  t.equal({ #list, list[1].stop_code, list[2].stop_code }, { 2, "SpotInterruption", "SpotInterruption" })
end)

t.test("protected tasks of the old revision keep a deployment from ending", function()
  local world = shop()
  control.protect_tasks(world, { service = NAME })
  control.image(world, { name = "shop-prod:v2" })
  control.deploy(world, { service = NAME, image = "shop-prod:v2" })
  t.advance(world, 1200)
  t.equal(service(world).deployments[1].rollout_state, "IN_PROGRESS")
  t.contains(service(world).events[1].message, "2 tasks under protection")
end)

t.test("the newest deployment is rolled back on request", function()
  local world = shop()
  control.image(world, { name = "shop-prod:v2" })
  control.deploy(world, { service = NAME, image = "shop-prod:v2" })
  t.advance(world, 30)
  control.stop_deployment(world, { service = NAME })
  t.advance(world, 600)
  local list = t.call(world, "ecs", "list_service_deployments", { cluster = NAME, service = NAME }).service_deployments
  t.equal(list[1].status, "ROLLBACK_SUCCESSFUL")
end)

t.test("somebody changes the health check, and somebody takes the listeners away", function()
  local world = shop()
  control.change_health_check(world, { name = NAME, path = "/other", port = 9000, matcher = "200-299" })
  local group = t.call(world, "elbv2", "describe_target_groups", { names = { NAME } }).target_groups[1]
  t.equal({ group.health_check_path, group.health_check_port, group.matcher.http_code }, { "/other", "9000", "200-299" })
  control.remove_listeners(world, { name = NAME })
  local health = t.call(world, "elbv2", "describe_target_health",
    { target_group_arn = group.target_group_arn }).target_health_descriptions
  t.equal(health[1].target_health.reason, "Target.NotInUse")
end)

t.test("a deployment changes the container, the definition, and brings sidecars", function()
  local world = shop()
  control.image(world, { name = "proxy:v1" })
  control.deploy(world, {
    service = NAME, change = { environment = { { name = "A", value = "b" } } }, definition = { memory = "2048" },
    sidecars = { { name = "proxy", image = "proxy:v1" } },
  })
  local found = definition(world)
  t.equal({ found.memory, #found.container_definitions, found.container_definitions[2].name },
    { "2048", 2, "proxy" })
  t.equal(found.container_definitions[1].environment, { { name = "A", value = "b" } })
  t.contains(found.container_definitions[1].image, "shop-prod:v1")
end)

t.test("the application says that it listens when it does, also while it is being stopped", function()
  local world = shop({ desired = 1, deregistration_delay = 60 })
  control.image(world, { name = "shop-prod:v2", start = "130s", ready = "now it listens" })
  control.deploy(world, { service = NAME, image = "shop-prod:v2" })
  t.advance(world, 100)
  local function lines()
    return #t.call(world, "logs", "filter_log_events",
      { log_group_name = "/ecs/" .. NAME, filter_pattern = '"now it listens"' }).events
  end
  t.equal(lines(), 0)
  t.advance(world, 200)
  t.truthy(lines() > 0)
  t.equal(stopped(world)[1].stop_code, "ServiceSchedulerInitiated")
end)

t.finish()
