--- Whether the endings of tests/endings are what they say: a client without any sense writes what is asked for, time
-- passes, and the world must then say what the ending calls the truth. No runbook takes part, so a wrong
-- entry cannot hide behind a wrong verdict.

local t = dofile "tests/sim/harness.lua"
local build = require "sim.build"
local specs = require "sim.specs"
local truth = require "sim.truth"
local util = require "sim.util"

local place = { cluster = "aistudio-dev", service = "aistudio-dev" }

-- ---- a client without any sense ------------------------------------------------------------------

-- Tries a few times, as every SDK does. Gives the output, or nil when it never came through.
local function insist(world, operation, input)
  for _ = 1, 5 do
    local answer = world:call("ecs", operation, input, t.caller)
    if answer.output then
      return answer.output
    end
    world:advance_to(world:now() + 1)
  end
end

-- What it reads it knows beforehand: trouble of reading is not what is tested here.
local function definition_with(world, image)
  local service = build.call(world, "ecs", "describe_services",
    { cluster = place.cluster, services = { place.service } }).services[1]
  local present = util.copy(build.call(world, "ecs", "describe_task_definition",
    { task_definition = service.task_definition }).task_definition)
  present.container_definitions[1].image = image
  return {
    family = present.family, task_role_arn = present.task_role_arn, execution_role_arn = present.execution_role_arn,
    network_mode = present.network_mode, container_definitions = present.container_definitions, cpu = present.cpu,
    memory = present.memory, requires_compatibilities = present.requires_compatibilities,
    runtime_platform = present.runtime_platform,
  }
end

local actions = {}

actions["deploy/quick"] = function(world, args)
  local made = insist(world, "register_task_definition", definition_with(world, args.image))
  if made then
    insist(world, "update_service", {
      cluster = place.cluster, service = place.service, task_definition = made.task_definition.task_definition_arn,
    })
  end
end

actions["deploy/restart"] = function(world)
  insist(world, "update_service", { cluster = place.cluster, service = place.service, force_new_deployment = true })
end

local function wait(world, seconds)
  local ends = world:now() + seconds
  while truth.of(world, {}).moving and world:now() < ends do
    world:advance_to(math.min(world:now() + 5, ends))
  end
end

-- ---- the endings ---------------------------------------------------------------------------------

local function compare(found, wanted, what)
  for name, value in pairs(wanted) do
    t.equal(found[name], value, ("%s: %s"):format(what, name))
  end
end

local function check(ending)
  local world, run = t.world { seed = 1 }, ending.run
  specs.prepare(world, ending)
  actions[run.runbook](world, run.args)
  wait(world, run.args.wait)
  compare(truth.of(world, {}), ending.otherwise or ending.expect.truth, "truth")
  if ending.expect.later and not ending.otherwise then
    compare(truth.settled(world, {}), ending.expect.later, "later")
  end
end

local function each(file, run)
  for _, ending in ipairs(assert(loadfile(("tests/endings/%s.spec.lua"):format(file), "t", {}))()) do
    t.test(ending.name, function()
      run(ending)
    end)
  end
end

for _, file in ipairs { "deploy", "restart", "trouble" } do
  each(file, check)
end

-- ---- rollbacks -----------------------------------------------------------------------------------

-- The image as it was built, whatever its tags mean by now.
local function pinned(world, name)
  for digest, built in pairs(world:state("ecr").built) do
    if built == name then
      return ("%s@%s"):format(build.image_uri(world, name:match("^[^:]*")), digest)
    end
  end
end

-- Where to go is told to this client: that it can be reached at all, and what comes of it, is what is tested.
local function roll_back(world, ending)
  if ending.wanted and not ending.expect.calls then
    actions["deploy/quick"](world, { image = pinned(world, ending.wanted) })
  end
end

-- Before a rollback something else must be meant to run than what it is to bring, or nothing would pass for one.
local function check_rollback(ending)
  local world = t.world { seed = 1 }
  specs.prepare(world, ending)
  local before = truth.of(world, {})
  t.equal(before.ended, "nothing_changed", "nobody has done anything yet")
  t.truthy(before.moving or before.primary ~= ending.wanted, "something else is meant to run")
  if ending.expect.verdict ~= "refused_by_plan" then
    roll_back(world, ending)
    wait(world, ending.run.args.wait)
  end
  compare(truth.of(world, {}), ending.expect.truth, "truth")
end

each("rollback", check_rollback)

-- ---- in stages -----------------------------------------------------------------------------------

-- As somebody who answers the hook that a deployment waits at, or has it stopped.
local function undo(world)
  local arn = build.call(world, "ecs", "list_service_deployments", place).service_deployments[1].service_deployment_arn
  local found = build.call(world, "ecs", "describe_service_deployments", { service_deployment_arns = { arn } })
  local hook = (found.service_deployments[1].lifecycle_hook_details or {})[1]
  if hook and hook.status == "AWAITING_ACTION" then
    insist(world, "continue_service_deployment", { service_deployment_arn = arn, hook_id = hook.hook_id, action = "ROLLBACK" })
  else
    insist(world, "stop_service_deployment", { service_deployment_arn = arn, stop_type = "ROLLBACK" })
  end
end

-- What this client waits for: until the deployment is over, pauses, or its goal is reached.
local function wait_in_stages(world, run)
  local ends = world:now() + run.args.wait
  repeat
    local seen = truth.of(world, {})
    if not seen.moving or seen.ended == "paused" or run.args.goal == "traffic_shifted" and seen.most_traffic == 100 then
      return
    end
    world:advance_to(math.min(world:now() + 5, ends))
  until world:now() >= ends
end

local function check_in_stages(ending)
  local world, run = t.world { seed = 1 }, ending.run
  specs.prepare(world, ending)
  if run.runbook == "deploy/quick" then
    actions["deploy/quick"](world, run.args)
  elseif ending.expect.truth.ended == "undone" then
    undo(world)
  else
    actions["deploy/quick"](world, { image = pinned(world, ending.wanted) })
  end
  wait_in_stages(world, run)
  compare(truth.of(world, {}), ending.expect.truth, "truth")
  if ending.expect.later then
    compare(truth.settled(world, {}), ending.expect.later, "later")
  end
end

each("stages", check_in_stages)

-- ---- given up early ------------------------------------------------------------------------------

-- This client knows beforehand what cannot come right, and has ECS go back soon.
local function check_early(ending)
  local world, run = t.world { seed = 1 }, ending.run
  specs.prepare(world, ending)
  actions["deploy/quick"](world, run.args)
  if ending.expect.truth.ended == "undone" then
    wait(world, 30)
    undo(world)
  end
  wait(world, run.args.wait)
  compare(truth.of(world, {}), ending.expect.truth, "truth")
end

each("early", check_early)

t.finish()
