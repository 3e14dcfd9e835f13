--- The truth about a deployment, as sim.truth reads it from the world.

local t = dofile "tests/sim/harness.lua"
local control = require "sim.control"
local truth = require "sim.truth"

local function scenario()
  local world = t.world { seed = 1 }
  require("sim.scenarios.service")(world)
  return world
end

local function restart(world, more)
  local input = { cluster = "aistudio-dev", service = "aistudio-dev", force_new_deployment = true }
  for name, value in pairs(more or {}) do
    input[name] = value
  end
  return t.call(world, "ecs", "update_service", input).service
end

local function newest(world)
  return t.call(world, "ecs", "list_service_deployments", {
    cluster = "aistudio-dev", service = "aistudio-dev",
  }).service_deployments[1].service_deployment_arn
end

t.test("what the scenario deploys is no client's deployment", function()
  local world = scenario()
  control.image(world, { name = "aistudio-dev:v2" })
  control.deploy(world, { service = "aistudio-dev", image = "aistudio-dev:v2", wait = true })
  local now = truth.of(world, {})
  t.equal({ now.ended, now.started, now.images }, { "nothing_changed", 0, { "aistudio-dev:v2" } })
end)

t.test("a client's deployment is still running, and then deployed", function()
  local world = scenario()
  restart(world)
  t.equal({ truth.of(world, {}).ended, truth.of(world, {}).moving }, { "still_running", true })
  local later = truth.settled(world, {})
  t.equal({ later.ended, later.newest, later.running, later.healthy, later.serving }, { "deployed", true, 1, 1, true })
end)

t.test("a deployment that the client itself stops is undone, one that somebody stops is stopped", function()
  local world = scenario()
  restart(world)
  t.advance(world, 30)
  t.call(world, "ecs", "stop_service_deployment", { service_deployment_arn = newest(world) })
  t.equal(truth.of(world, {}).ended, "rolling_back")
  t.equal(truth.settled(world, {}).ended, "undone")
  restart(world)
  t.advance(world, 30)
  control.stop_deployment(world, { service = "aistudio-dev" })
  t.equal(truth.settled(world, {}).ended, "stopped")
end)

t.test("who stops a deployment that ECS takes back already has not stopped it", function()
  local world = scenario()
  control.behave(world, { container = "aistudio", crash = { exit = 1, after = "5s" } })
  restart(world)
  repeat
    t.advance(world, 5)
    local status = t.call(world, "ecs", "describe_service_deployments",
      { service_deployment_arns = { newest(world) } }).service_deployments[1].status
  until status == "ROLLBACK_IN_PROGRESS"
  control.behave(world, { container = "aistudio" })
  t.call(world, "ecs", "stop_service_deployment", { service_deployment_arn = newest(world) })
  t.equal(truth.settled(world, {}).ended, "rolled_back")
end)

t.test("a deployment that its pause hook sends back was undone by who answered", function()
  local world = t.world { seed = 1 }
  require("sim.scenarios.blue_green")(world)
  local arn = newest(world)
  local hook = t.call(world, "ecs", "describe_service_deployments", { service_deployment_arns = { arn } })
    .service_deployments[1].lifecycle_hook_details[1]
  t.call(world, "ecs", "continue_service_deployment",
    { service_deployment_arn = arn, hook_id = hook.hook_id, action = "ROLLBACK" })
  local now = truth.settled(world, {})
  t.equal({ now.ended, now.images, now.serving }, { "undone", { "aistudio-dev:v1" }, true })
end)

t.test("images go by the name they were built under, not by what a tag means now", function()
  local world = scenario()
  control.image(world, { name = "aistudio-dev:v2" })
  control.move_tag(world, { image = "aistudio-dev:v1", to = "aistudio-dev:v2" })
  t.equal(truth.of(world, {}).images, { "aistudio-dev:v1" })
  restart(world)
  t.equal(truth.settled(world, {}).images, { "aistudio-dev:v2" })
end)

t.test("the truth does not lag behind as reads do", function()
  local world = scenario()
  control.lag_reads(world, { service = "ecs", by = "60s" })
  restart(world)
  t.equal(truth.of(world, {}).ended, "still_running")
end)

t.test("a task whose application hangs serves nobody", function()
  local world = scenario()
  t.equal(truth.of(world, {}).serving, true)
  control.behave(world, { image = "aistudio-dev:v1", hang = true })
  t.equal({ truth.of(world, {}).running, truth.of(world, {}).serving }, { 1, false })
end)

t.test("without a service nothing has changed, and with several one must be named", function()
  local world = t.world { seed = 1 }
  t.equal(truth.of(world, {}).ended, "nothing_changed")
  control.service(world, { app = "shop", env = "a" })
  control.service(world, { app = "shop", env = "b" })
  local ok, why = pcall(truth.of, world, {})
  t.equal(ok, false)
  t.contains(why, "there are several services")
  t.equal(truth.of(world, { cluster = "shop-b", service = "shop-b" }).running, 1)
end)

t.finish()
