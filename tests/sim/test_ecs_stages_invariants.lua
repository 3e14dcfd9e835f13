--- Whatever happens on the way of a deployment with lifecycle stages, some things always hold: all production
-- traffic goes somewhere, never to a revision that was not up, and the listener rule says what the revisions say.

local ecs = dofile "tests/sim/ecs_stages.lua"
local faults = require "sim.faults"
local t = ecs.t

local stages = {
  "RECONCILE_SERVICE", "PRE_SCALE_UP", "SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT",
  "PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP",
}
local place = {}
for index, name in ipairs(stages) do
  place[name] = index
end
place.PRE_PRODUCTION_TRAFFIC_SHIFT = place.PRODUCTION_TRAFFIC_SHIFT -- the two take turns

local over = { SUCCESSFUL = true, STOPPED = true, ROLLBACK_SUCCESSFUL = true, ROLLBACK_FAILED = true }
local follows = {
  PENDING = { IN_PROGRESS = true, ROLLBACK_REQUESTED = true },
  IN_PROGRESS = { ROLLBACK_REQUESTED = true, ROLLBACK_IN_PROGRESS = true },
  ROLLBACK_REQUESTED = { ROLLBACK_IN_PROGRESS = true },
  ROLLBACK_IN_PROGRESS = {},
}

-- Chance of the test's own, so that it does not depend on the world's.
local function chance(seed)
  local state = seed * 104729 + 11
  return function(count)
    state = (state * 1103515245 + 12345) % 2147483648
    return state // 65536 % count + 1
  end
end

-- ---- what must hold ------------------------------------------------------------------------------

local function summaries(record)
  local list = { record.target_service_revision }
  for _, source in ipairs(record.source_service_revisions) do
    list[#list + 1] = source
  end
  return list
end

-- A deployment that took over from one that was cleaning up may go back to a revision that had gone by then.
local function goes_back_to_another(record)
  for _, item in ipairs(summaries(record)) do
    if record.rollback and item.arn == record.rollback.service_revision_arn then
      return false
    end
  end
  return record.rollback ~= nil
end

local function check_weights(world, front, record)
  if goes_back_to_another(record) then
    return
  end
  local sum = 0
  for _, item in ipairs(summaries(record)) do
    sum = sum + item.requested_production_traffic_weight
  end
  t.near(sum, 100, 1e-6, "production weights of " .. record.status)
  local rule = ecs.weights(world, front, "production")
  local all = rule[1] + rule[2]
  t.truthy(all == 100 or all == 1000, "weights of the rule")
  if not over[record.status] then
    local most = math.max(rule[1], rule[2]) / all * 100
    local top = 0
    for _, item in ipairs(summaries(record)) do
      top = math.max(top, item.requested_production_traffic_weight)
    end
    t.near(most, top, 1e-6, "the rule and the revisions")
  end
end

-- A revision has traffic only once all its tasks were up together.
local function check_readiness(world, record, seen)
  local target = record.target_service_revision
  local desired = ecs.service(world).desired_count
  if target.running_task_count >= desired then
    seen.up[target.arn] = true
  end
  if target.requested_production_traffic_weight > 0 then
    t.truthy(seen.up[target.arn], "green was up before it got traffic")
    t.truthy(place[record.lifecycle_stage] >= place.PRODUCTION_TRAFFIC_SHIFT, "not before its stage")
  end
end

local function check_progress(record, seen)
  local before = seen.records[record.service_deployment_arn]
  if before and before.status ~= record.status then
    t.truthy(over[record.status] and not over[before.status] or (follows[before.status] or {})[record.status],
      ("%s after %s"):format(record.status, before.status))
  end
  if before and before.lifecycle_stage and record.status == "IN_PROGRESS" then
    t.truthy(place[record.lifecycle_stage] >= place[before.lifecycle_stage],
      ("%s after %s"):format(record.lifecycle_stage, before.lifecycle_stage))
  end
  if record.status == "SUCCESSFUL" then
    t.equal({ record.target_service_revision.requested_production_traffic_weight, record.lifecycle_stage },
      { 100, "CLEAN_UP" }, "a success")
  elseif record.status == "ROLLBACK_SUCCESSFUL" then
    t.equal(record.target_service_revision.requested_production_traffic_weight, 0, "after a rollback")
  end
  for _, hook in ipairs(record.lifecycle_hook_details or {}) do
    t.equal((over[record.status] and hook.status == "AWAITING_ACTION") == true, false, "a hook that waits for nothing")
  end
  seen.records[record.service_deployment_arn] = record
end

local function check(world, front, seen)
  local record = ecs.record(world)
  check_weights(world, front, record)
  check_readiness(world, record, seen)
  check_progress(record, seen)
  local primary = 0
  for index, deployment in ipairs(ecs.service(world).deployments) do
    primary = primary + (deployment.status == "PRIMARY" and 1 or 0)
    t.equal(deployment.status, index == 1 and "PRIMARY" or "ACTIVE", "status of deployment " .. index)
  end
  t.equal(primary, 1, "deployments that are PRIMARY")
end

-- ---- what may happen -----------------------------------------------------------------------------

local moves = {}

local function move(fn)
  moves[#moves + 1] = fn
end

local tags = { "v1", "v2", "v3", "v9" }

local function deploy(world, pick)
  ecs.update(world, { task_definition = ecs.define(world, ecs.image("app:" .. tags[pick(4)])) })
end

move(deploy)
move(deploy)
move(function(world, pick)
  ecs.update(world, { desired_count = pick(3) })
end)
move(function(world)
  if not over[ecs.record(world).status] then
    ecs.call(world, "stop_service_deployment", { service_deployment_arn = ecs.record(world).service_deployment_arn })
  end
end)
move(function(world, pick)
  local record = ecs.record(world)
  for _, hook in ipairs(record.lifecycle_hook_details or {}) do
    if hook.status == "AWAITING_ACTION" and record.status == "IN_PROGRESS" then
      ecs.call(world, "continue_service_deployment", {
        service_deployment_arn = record.service_deployment_arn, hook_id = hook.hook_id,
        action = pick(4) == 1 and "ROLLBACK" or "CONTINUE",
      })
    end
  end
end)
move(function(world, pick)
  faults.set(world, "hook", "gate", { result = ({ "FAILED", "IN_PROGRESS", "SUCCEEDED" })[pick(3)] })
end)
move(function(world, pick)
  faults.set(world, "behaviour", "app:" .. tags[pick(3)], { paths = { ["/api/healthz"] = 500 } })
end)
move(function(world)
  faults.clear(world)
end)
move(function(world)
  faults.clear(world)
end)
move(function(world, pick)
  local tasks = ecs.tasks(world, "RUNNING")
  if #tasks > 0 then
    ecs.call(world, "stop_task", { cluster = "prod", task = tasks[pick(#tasks)].task_arn })
  end
end)

local strategies = { "BLUE_GREEN", "LINEAR", "CANARY" }

local function hooks_of(pick)
  local lambda = "arn:aws:lambda:eu-west-1:123456789012:function:gate"
  local list = {
    { hook_target_arn = lambda, lifecycle_stages = { "POST_SCALE_UP", "PRODUCTION_TRAFFIC_SHIFT" } },
    { target_type = "PAUSE", lifecycle_stages = { "PRE_PRODUCTION_TRAFFIC_SHIFT" },
      timeout_configuration = { timeout_in_minutes = 20, action = "CONTINUE" } },
  }
  return table.move(list, 1, pick(3) - 1, 1, {})
end

local function wander(seed, steps)
  local pick = chance(seed)
  local strategy = strategies[seed % 3 + 1]
  local world, front = ecs.staged {
    seed = seed, desired = pick(3), strategy = strategy, bake = pick(4) - 1, hooks = hooks_of(pick),
    breaker = { enable = pick(3) > 1, rollback = true },
    linear = strategy == "LINEAR" and { step_percent = 33.3, step_bake_time_in_minutes = pick(3) - 1 } or nil,
    canary = strategy == "CANARY" and { canary_percent = 10, canary_bake_time_in_minutes = pick(3) - 1 } or nil,
  }
  local seen = { up = {}, records = {} }
  check(world, front, seen)
  for _ = 1, steps do
    moves[pick(#moves)](world, pick)
    for _ = 1, pick(20) do
      t.advance(world, pick(20))
      check(world, front, seen)
    end
  end
  return world, front, seen
end

-- Left alone with everything in order, a service gets where it is wanted.
local function recover(world, front, seen)
  faults.clear(world)
  ecs.update(world, {
    task_definition = ecs.define(world, ecs.image "app:v1"), desired_count = 2,
    deployment_configuration = { lifecycle_hooks = {} },
  })
  for _ = 1, 240 do
    t.advance(world, 15)
    check(world, front, seen)
  end
  local service, record = ecs.service(world), ecs.record(world)
  t.equal({ service.deployments[1].rollout_state, #service.deployments, service.running_count, record.status },
    { "COMPLETED", 1, 2, "SUCCESSFUL" }, "the end")
end

for seed = 1, 18 do
  t.test(("traffic is always all somewhere and never where nothing was up (seed %d)"):format(seed), function()
    local world, front, seen = wander(seed, 30)
    recover(world, front, seen)
  end)
end

t.test("the same seed gives the same deployment, byte for byte, also through a saved world", function()
  local function plain(value)
    if type(value) ~= "table" then
      t.equal(type(value) == "function" or type(value) == "userdata", false, "only plain data")
      return value
    end
    local out = {}
    for key, item in pairs(value) do
      out[key] = plain(item)
    end
    return out
  end
  local one, two = wander(5, 10), wander(5, 10)
  local again = require("sim.world").new({}, plain(one:save()))
  for _, world in ipairs { one, two, again } do
    t.advance(world, 900)
  end
  t.equal(t.show(one:save()) == t.show(two:save()), true, "the same seed")
  t.equal(t.show(one:save()) == t.show(again:save()), true, "a saved world")
end)

t.finish()
