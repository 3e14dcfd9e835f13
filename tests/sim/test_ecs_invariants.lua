--- Whatever is asked of a service in whatever order, some things always hold. Random sequences of
-- operations, faults and time, with what must hold looked at after each.

local ecs = dofile "tests/sim/ecs_world.lua"
local faults = require "sim.faults"
local t = ecs.t

local waiting = { PROVISIONING = true, PENDING = true, ACTIVATING = true }
local rank = {
  PROVISIONING = 1, PENDING = 2, ACTIVATING = 3, RUNNING = 4, DEACTIVATING = 5, STOPPING = 6, DEPROVISIONING = 7,
  STOPPED = 8,
}

-- Chance of the test's own, so that it does not depend on the world's.
local function chance(seed)
  local state = seed * 7919 + 17
  return function(count)
    state = (state * 1103515245 + 12345) % 2147483648
    return state // 65536 % count + 1
  end
end

-- ---- what must hold ------------------------------------------------------------------------------

local function check_counts(service, tasks)
  local running, pending = 0, 0
  for _, task in ipairs(tasks) do
    running = running + (task.last_status == "RUNNING" and 1 or 0)
    pending = pending + (waiting[task.last_status] and 1 or 0)
  end
  t.equal({ service.running_count, service.pending_count }, { running, pending }, "running and pending")
  local sums = { 0, 0 }
  for _, deployment in ipairs(service.deployments) do
    sums = { sums[1] + deployment.running_count, sums[2] + deployment.pending_count }
  end
  t.equal(sums[1] <= running and sums[2] <= pending, true, "deployments own at most what the service has")
end

local function check_deployments(service, seen)
  local primary = 0
  for index, deployment in ipairs(service.deployments) do
    primary = primary + (deployment.status == "PRIMARY" and 1 or 0)
    t.equal(deployment.status, index == 1 and "PRIMARY" or "ACTIVE", "status of deployment " .. index)
    t.equal(deployment.failed_tasks >= 0 and deployment.desired_count >= 0, true, "counts are not negative")
    t.equal(seen.now[deployment.id], nil, "a deployment is listed once")
    seen.now[deployment.id] = true
  end
  t.equal(primary, 1, "deployments that are PRIMARY")
  t.equal(service.task_definition, service.deployments[1].task_definition, "the service's definition is the PRIMARY's")
  if service.deployments[1].rollout_state == "COMPLETED" then
    t.equal(#service.deployments, 1, "deployments after completion")
  end
end

-- Tasks never exceed the upper bound that held when they were started; since bounds change, the highest of the
-- last minutes counts.
local function check_bounds(service, tasks, seen)
  local configuration = service.deployment_configuration
  local upper = service.desired_count * configuration.maximum_percent // 100
  seen.upper = math.max(upper, seen.upper or 0)
  local wanted = 0
  for _, task in ipairs(tasks) do
    wanted = wanted + (task.desired_status == "RUNNING" and 1 or 0)
  end
  t.equal(wanted <= seen.upper, true, ("tasks (%d) within the bound (%d)"):format(wanted, seen.upper))
end

local function check_task(task, seen)
  local before = seen.tasks[task.task_arn]
  if before then
    t.equal(rank[task.last_status] >= rank[before.last_status], true, "a task goes forward only")
    t.equal(task.version >= before.version, true, "its version grows")
    t.equal(before.desired_status == "STOPPED" and task.desired_status == "RUNNING", false, "a stop is for good")
  end
  local last = 0
  for _, name in ipairs {
    "created_at", "connectivity_at", "pull_started_at", "pull_stopped_at", "started_at", "stopping_at",
    "execution_stopped_at", "stopped_at",
  } do
    local time = task[name]
    t.equal(time == nil or time >= last, true, name .. " is in order")
    last = time or last
  end
  t.equal(task.last_status == "STOPPED", task.stopped_at ~= nil, "stopped_at")
  t.equal(task.stop_code ~= nil, task.desired_status == "STOPPED", "stop code")
  seen.tasks[task.task_arn] = task
end

local function check_events(service, seen)
  for index, event in ipairs(service.events) do
    t.equal(seen.events[event.id] == nil or seen.events[event.id] == event.message, true, "ids of events are unique")
    seen.events[event.id] = event.message
    t.equal(event.message:find("[{}]"), nil, "a placeholder is left in an event")
    local older = service.events[index + 1]
    t.equal(older == nil or older.created_at <= event.created_at + 0.01, true, "events are newest first")
  end
  t.equal(#service.events <= 100, true)
end

local function check(world, seen)
  local service, tasks = ecs.service(world), ecs.tasks(world)
  seen.now = {}
  local ids = {}
  for _, task in ipairs(tasks) do
    t.equal(ids[task.task_arn], nil, "ids of tasks are unique")
    ids[task.task_arn] = true
    check_task(task, seen)
  end
  if service.status == "ACTIVE" then
    check_deployments(service, seen)
    check_bounds(service, tasks, seen)
  end
  check_counts(service, tasks)
  check_events(service, seen)
end

-- ---- what may happen -----------------------------------------------------------------------------

local moves = {}

local function move(fn)
  moves[#moves + 1] = fn
end

local tags = { "v1", "v2", "v3", "v9" }

move(function(world, pick) -- another image, sometimes one that is not there
  ecs.update(world, { task_definition = ecs.define(world, ecs.image("app:" .. tags[pick(4)])) })
end)
move(function(world)
  ecs.update(world, { force_new_deployment = true })
end)
move(function(world, pick)
  ecs.update(world, { desired_count = pick(6) - 1 })
end)
move(function(world, pick)
  local low, high = (pick(3) - 1) * 50, 100 + (pick(3) - 1) * 50
  if low < 100 or high > 100 then
    ecs.update(world, { deployment_configuration = { minimum_healthy_percent = low, maximum_percent = high } })
  end
end)
move(function(world, pick)
  ecs.update(world, { deployment_configuration = { deployment_circuit_breaker = {
    enable = pick(3) > 1, rollback = pick(2) == 1, reset_on_healthy_task = pick(2) == 1,
  } } })
end)
move(function(world, pick)
  local tasks = ecs.tasks(world, "RUNNING")
  if #tasks > 0 then
    ecs.call(world, "stop_task", { cluster = "prod", task = tasks[pick(#tasks)].task_arn })
  end
end)
move(function(world)
  local list = ecs.call(world, "list_service_deployments", { cluster = "prod", service = "web" }).service_deployments
  if list[1].status == "IN_PROGRESS" then
    ecs.call(world, "stop_service_deployment", { service_deployment_arn = list[1].service_deployment_arn })
  end
end)
move(function(world, pick)
  faults.set(world, "behaviour", "app:" .. tags[pick(3)], { paths = { ["/api/healthz"] = 500 } })
end)
move(function(world, pick)
  faults.set(world, "behaviour", "app:" .. tags[pick(3)], { exit = { code = 1, after = 4 * pick(30) } })
  require("sim.ecs").behaviour_changed(world)
end)
move(function(world, pick)
  faults.set(world, "capacity", "web", pick(2) == 1 and "unavailable" or nil)
end)
move(function(world)
  faults.clear(world, "behaviour")
end)
move(function(world)
  faults.clear(world, "behaviour")
end)

local function wander(seed, steps)
  local pick = chance(seed)
  local world = ecs.start { seed = seed, desired = pick(4), plain = pick(3) == 1, delay = 10 * pick(6) }
  local seen = { tasks = {}, events = {} }
  check(world, seen)
  for _ = 1, steps do
    moves[pick(#moves)](world, pick)
    for _ = 1, pick(4) do
      t.advance(world, pick(60))
      check(world, seen)
    end
  end
  return world, seen
end

-- Left alone with everything in order, a service gets where it is wanted.
local function recover(world, seen)
  faults.clear(world)
  ecs.update(world, {
    task_definition = ecs.define(world, ecs.image "app:v1"), desired_count = 3,
    deployment_configuration = { minimum_healthy_percent = 100, maximum_percent = 200 },
  })
  seen.upper = math.max(seen.upper, 6)
  for _ = 1, 60 do
    t.advance(world, 30)
    check(world, seen)
  end
  local service = ecs.service(world)
  t.equal({ service.deployments[1].rollout_state, #service.deployments, service.running_count, service.pending_count },
    { "COMPLETED", 1, 3, 0 }, "the end")
end

for seed = 1, 16 do
  t.test(("invariants hold through random operations, and the service recovers (seed %d)"):format(seed), function()
    local world, seen = wander(seed, 25)
    recover(world, seen)
  end)
end

t.test("a world that was saved and read back goes on in the same way", function()
  local function deep(value)
    if type(value) ~= "table" then
      t.equal(type(value) == "function" or type(value) == "userdata", false, "only plain data")
      return value
    end
    local out = {}
    for key, item in pairs(value) do
      out[key] = deep(item)
    end
    return out
  end
  local world = wander(3, 8)
  local again = require("sim.world").new({}, deep(world:save()))
  t.advance(world, 900)
  t.advance(again, 900)
  t.equal(t.show(ecs.service(again)) == t.show(ecs.service(world)), true, "the service")
  t.equal(t.show(ecs.tasks(again)) == t.show(ecs.tasks(world)), true, "the tasks")
end)

t.finish()
