-- How a deployment in stages (BLUE_GREEN, LINEAR, CANARY) can end, and a rollback of one. The format is that of
-- deploy.spec.lua. A deployment that waits at a hook ends no run well or badly: the verdict is `paused`, and `later` is what
-- becomes of it without that run.

local registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"

local function deploy(goal, wait)
  return { runbook = "deploy/quick", args = {
    cluster = "aistudio-dev", service = "aistudio-dev", image = registry .. "aistudio-dev:v2", wait = wait or 3600,
    goal = goal, preflight = false, supersede = true,
  } }
end

local function rollback()
  return { runbook = "rollback/ecs", args = {
    cluster = "aistudio-dev", service = "aistudio-dev", wait = 3600,
  } }
end

-- ---- worlds --------------------------------------------------------------------------------------

local function staged(fields)
  fields = fields or {}
  fields.app, fields.env, fields.desired, fields.image = "aistudio", "dev", 2, "aistudio-dev:v1"
  fields.strategy, fields.bake = fields.strategy or "BLUE_GREEN", fields.bake or "5m"
  fields.circuit_breaker = { enable = true, rollback = true }
  return { "service", fields }
end

local function pausing(stage, timeout, on_timeout)
  return staged { hooks = { { stage = stage, pause = true, timeout = timeout, on_timeout = on_timeout } } }
end

local function at(time, command, fields)
  return { "at", { time = time, command = command, args = fields } }
end

local here = { service = "aistudio-dev" }
local good = { "image", { name = "aistudio-dev:v2" } }
local crashing = { "image", { name = "aistudio-dev:v2", crash = { exit = 1, after = "8s" } } }
local linear = staged { strategy = "LINEAR", steps = { percent = 20, bake = "2m" } }
local canary = staged { strategy = "CANARY", steps = { percent = 10, bake = "3m" } }

local function watched(more)
  more.alarms, more.deployment_alarms = true, { "aistudio-dev-high-cpu" }
  return staged(more)
end

local function alarm(time)
  return at(time, "force_alarm", { name = "aistudio-dev-high-cpu" })
end

-- ---- ends ----------------------------------------------------------------------------------------

local v1, v2 = { "aistudio-dev:v1" }, { "aistudio-dev:v2" }
local deployed_truth = { ended = "deployed", images = v2, receiving = v2, most_traffic = 100, serving = true }
local deployed = { verdict = "done", exit_code = 0, truth = deployed_truth }

local function back(ended, most_traffic)
  return { ended = ended, images = v1, receiving = v1, most_traffic = most_traffic, serving = true }
end

local function rolled_back(most_traffic)
  return { verdict = "rolled_back", exit_code = 23, truth = back("rolled_back", most_traffic) }
end

local function stopped(most_traffic)
  return { verdict = "stopped", exit_code = 25, truth = back("stopped", most_traffic) }
end

local function paused(later)
  return {
    verdict = "paused", exit_code = 31,
    truth = { ended = "paused", receiving = v1, most_traffic = 0, moving = true, serving = true },
    later = later,
  }
end

local function gone_back(most_traffic)
  return { verdict = "done", exit_code = 0, truth = back("undone", most_traffic) }
end

local endings = {
  {
    name = "a good image is deployed in stages",
    world = { staged(), good },
    expect = deployed,
  },
  {
    name = "a good image gets its traffic in steps",
    world = { linear, good },
    expect = deployed,
  },
  {
    name = "a good image gets its traffic after a canary",
    world = { canary, good },
    expect = deployed,
  },
  {
    name = "an image that crashes never gets traffic",
    world = { staged(), crashing },
    expect = rolled_back(0),
  },
  {
    name = "an image that is gone never gets traffic",
    world = { staged(), good, at("1s", "delete_image", { image = "aistudio-dev:v2" }) },
    expect = rolled_back(0),
  },
  {
    name = "an image whose health page is missing never gets traffic",
    world = { staged(), { "image", { name = "aistudio-dev:v2", paths = { ["/"] = 200 } } } },
    expect = rolled_back(0),
  },

  -- ---- at a hook ----

  {
    name = "a deployment that waits at a hook after the test traffic shift is paused",
    world = { pausing "POST_TEST_TRAFFIC_SHIFT", good },
    expect = paused(),
  },
  {
    name = "a deployment that waits at a hook before anything runs is paused",
    world = { pausing "PRE_SCALE_UP", good },
    expect = paused(),
  },
  {
    name = "a paused deployment that somebody continues later is deployed in the end",
    world = { pausing "POST_TEST_TRAFFIC_SHIFT", good, at("20m", "continue_deployment", here) },
    expect = paused(deployed_truth),
  },
  {
    name = "a paused deployment that somebody rolls back later is stopped in the end",
    world = {
      pausing "POST_TEST_TRAFFIC_SHIFT", good,
      at("20m", "continue_deployment", { service = "aistudio-dev", action = "ROLLBACK" }),
    },
    expect = paused(back("stopped", 0)),
  },
  {
    name = "a paused deployment that nobody answers is rolled back in the end",
    world = { pausing("POST_TEST_TRAFFIC_SHIFT", "30m"), good },
    expect = paused(back("rolled_back", 0)),
  },
  {
    name = "a paused deployment that nobody answers goes on in the end when its hook says so",
    world = { pausing("POST_TEST_TRAFFIC_SHIFT", "30m", "CONTINUE"), good },
    expect = paused(deployed_truth),
  },
  {
    name = "a paused deployment that somebody deploys over is paused, then superseded",
    world = {
      pausing "POST_TEST_TRAFFIC_SHIFT", good, { "image", { name = "aistudio-dev:v3" } },
      at("20m", "deploy", { service = "aistudio-dev", image = "aistudio-dev:v3" }),
      at("40m", "continue_deployment", here),
    },
    expect = paused { ended = "superseded", images = { "aistudio-dev:v3" }, most_traffic = 0, newest = false },
  },
  {
    name = "a function that says no makes ECS roll back",
    world = {
      staged { hooks = { { stage = "POST_TEST_TRAFFIC_SHIFT", name = "check" } } },
      good, { "hook", { name = "check", result = "FAILED", after = "2m" } },
    },
    expect = rolled_back(0),
  },
  {
    name = "a function that takes its time and says yes holds nothing up for good",
    world = {
      staged { hooks = { { stage = "POST_TEST_TRAFFIC_SHIFT", name = "check" } } },
      good, { "hook", { name = "check", after = "10m" } },
    },
    expect = deployed,
  },
  {
    name = "a function that never answers makes ECS roll back",
    world = {
      staged { hooks = { { stage = "PRE_SCALE_UP", name = "check", timeout = "10m" } } },
      good, { "hook", { name = "check", result = "IN_PROGRESS" } },
    },
    expect = rolled_back(0),
  },
  {
    name = "a function that says no after the shift takes the traffic back",
    world = {
      staged { hooks = { { stage = "POST_PRODUCTION_TRAFFIC_SHIFT", name = "check" } } },
      good, { "hook", { name = "check", result = "FAILED" } },
    },
    expect = rolled_back(100),
  },

  -- ---- after the shift ----

  {
    name = "an alarm that fires during the bake time takes the traffic back",
    world = { watched { bake = "15m" }, good, alarm "6m" },
    expect = rolled_back(100),
  },
  {
    name = "a deployment that somebody stops during the bake time is stopped",
    world = { staged { bake = "15m" }, good, at("6m", "stop_deployment", here) },
    expect = stopped(100),
  },
  {
    name = "a deployment that somebody stops before the shift is stopped",
    world = { staged(), good, at("50s", "stop_deployment", here) },
    expect = stopped(0),
  },
  {
    name = "an alarm in the second step of a linear shift takes the traffic back",
    world = { watched { strategy = "LINEAR", steps = { percent = 20, bake = "2m" } }, good, alarm "5m" },
    expect = rolled_back(40),
  },
  {
    name = "an alarm during the canary takes its traffic back",
    world = { watched { strategy = "CANARY", steps = { percent = 10, bake = "10m" } }, good, alarm "6m" },
    expect = rolled_back(10),
  },
  {
    name = "somebody's deployment in a stage before the shift supersedes ours",
    world = {
      staged(), good, { "image", { name = "aistudio-dev:v3" } },
      at("60s", "deploy", { service = "aistudio-dev", image = "aistudio-dev:v3" }),
    },
    expect = { verdict = "superseded", exit_code = 24, truth = { ended = "superseded", most_traffic = 0, newest = false } },
  },
  {
    name = "somebody's deployment during the bake time supersedes ours",
    world = {
      staged { bake = "15m" }, good, { "image", { name = "aistudio-dev:v3" } },
      at("6m", "deploy", { service = "aistudio-dev", image = "aistudio-dev:v3" }),
    },
    expect = { verdict = "superseded", exit_code = 24, truth = { ended = "superseded", most_traffic = 100, newest = false } },
  },
  {
    name = "a bake time longer than the run waits for is still under way",
    world = { staged { bake = "60m" }, good },
    run = deploy(nil, 1200),
    expect = {
      verdict = "timed_out", exit_code = 40,
      truth = { ended = "still_running", receiving = v2, most_traffic = 100, serving = true }, later = deployed_truth,
    },
  },
  {
    name = "a run that waits for the traffic shift alone is done long before the deployment",
    world = { staged { bake = "60m" }, good },
    run = deploy "traffic_shifted",
    expect = {
      verdict = "done", exit_code = 0, within = "15m",
      truth = { ended = "still_running", receiving = v2, most_traffic = 100, moving = true, serving = true },
      later = deployed_truth,
    },
  },
  {
    name = "a run that waits for the traffic shift alone is not done by the first step of one",
    world = { linear, good },
    run = deploy "traffic_shifted",
    expect = {
      verdict = "done", exit_code = 0, truth = { receiving = v2, most_traffic = 100, serving = true },
      later = deployed_truth,
    },
  },
  {
    name = "a run that waits for the traffic shift alone fails with the deployment",
    world = { staged(), crashing },
    run = deploy "traffic_shifted",
    expect = rolled_back(0),
  },

  -- ---- rollbacks ----

  {
    name = "a rollback of a paused deployment answers its hook and goes back",
    world = {
      pausing "POST_TEST_TRAFFIC_SHIFT", good, { "deploy", { service = "aistudio-dev", image = "aistudio-dev:v2" } },
      { "advance", { time = "10m" } },
    },
    run = rollback(),
    wanted = "aistudio-dev:v1",
    expect = gone_back(0),
    calls = { ["ecs.continue_service_deployment"] = 1, ["ecs.update_service"] = 0 },
  },
  {
    name = "a rollback during the bake time takes the traffic back",
    world = {
      staged { bake = "30m" }, good, { "deploy", { service = "aistudio-dev", image = "aistudio-dev:v2" } },
      { "advance", { time = "10m" } },
    },
    run = rollback(),
    wanted = "aistudio-dev:v1",
    expect = gone_back(100),
    calls = { ["ecs.stop_service_deployment"] = 1, ["ecs.update_service"] = 0 },
  },
  {
    name = "a rollback of a complete deployment in stages brings what ran before",
    world = { staged(), good, { "deploy", { service = "aistudio-dev", image = "aistudio-dev:v2", wait = true } } },
    run = rollback(),
    wanted = "aistudio-dev:v1",
    expect = { verdict = "done", exit_code = 0, truth = back("deployed", 100) },
  },
  {
    name = "a rollback that itself waits at a hook is paused, and says so",
    world = {
      pausing "POST_TEST_TRAFFIC_SHIFT", good, { "deploy", { service = "aistudio-dev", image = "aistudio-dev:v2" } },
      at("5m", "continue_deployment", here), { "settle", { timeout = "60m" } },
    },
    run = rollback(),
    wanted = "aistudio-dev:v1",
    expect = {
      verdict = "paused", exit_code = 31,
      truth = { ended = "paused", receiving = v2, most_traffic = 0, moving = true, serving = true },
    },
  },
}

for index = 1, #endings do
  local ending = endings[index]
  ending.run = ending.run or deploy()
  ending.wanted = ending.wanted or "aistudio-dev:v2"
  ending.expect.calls, ending.calls = ending.calls, nil
end

return endings
