-- deploy/follow on simulated worlds: it starts nothing, writes nothing, and says how the newest deployment ends or has
-- ended.

local names = { cluster = "aistudio-dev", service = "aistudio-dev" }

local function follow(goal, wait)
  return { runbook = "deploy/follow", args = {
    cluster = names.cluster, service = names.service, goal = goal, wait = wait or 3600,
  } }
end

local function image(version)
  return { "image", { name = "aistudio-dev:" .. version } }
end

local function crashing(version)
  return { "image", { name = "aistudio-dev:" .. version, crash = { exit = 1, after = "8s" } } }
end

local function begun(version)
  return { "deploy", { service = names.service, image = "aistudio-dev:" .. version } }
end

local function at(time, command, args)
  return { "at", { time = time, command = command, args = args } }
end

local function ends(verdict, exit_code, message, images)
  return {
    verdict = verdict, exit_code = exit_code, writes = {}, message = message,
    truth = { ended = "nothing_changed", images = images and { "aistudio-dev:" .. images } or nil },
  }
end

local settle = { "settle", { timeout = "60m" } }
local no_rollback = { "service", {
  app = "aistudio", env = "dev", image = "aistudio-dev:v1", circuit_breaker = { enable = true, rollback = false },
} }

local specs = {
  { name = "a deployment under way that ends well", world = { "service", image "v2", begun "v2" },
    expect = ends("done", 0, "aistudio-dev runs aistudio-dev:2", "v2") },
  { name = "a deployment under way that ECS rolls back", world = { "service", crashing "v2", begun "v2" },
    expect = ends("rolled_back", 23, "the service runs aistudio-dev:1", "v1") },
  { name = "a rollback by ECS that is under way already",
    world = { "service", { "image", { name = "aistudio-dev:v2", start = "5m" } }, begun "v2", { "advance", { time = "60s" } },
      { "stop_deployment", { service = names.service } }, { "advance", { time = "4s" } } },
    expect = ends("stopped", 25, "Somebody had deployment", "v1") },
  { name = "a deployment under way that fails and is not rolled back", world = { no_rollback, crashing "v2", begun "v2" },
    expect = ends("failed", 22, "ECS did not roll it back") },
  { name = "a deployment under way that somebody else's takes the place of",
    world = { "service", image "v2", image "v3", begun "v2",
      at("40s", "deploy", { service = names.service, image = "aistudio-dev:v3" }) },
    expect = ends("superseded", 24, "took the place of") },
  { name = "a deployment that takes longer than the run waits",
    world = { { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", grace = 1200 } },
      { "image", { name = "aistudio-dev:v2", start = "10m" } }, begun "v2" },
    run = follow(nil, 120),
    expect = ends("timed_out", 40, "was still under way after 120 seconds") },
  { name = "a service that is deleted meanwhile", world = { "service", image "v2", begun "v2",
      at("30s", "someone_calls", { service = "ecs", operation = "delete_service",
        input = { cluster = names.cluster, service = names.service, force = true } }) },
    expect = { verdict = "failed", exit_code = 22, writes = {}, message = "somebody deleted it" } },

  -- ---- nothing under way -------------------------------------------------------------------------
  { name = "the last deployment ended well", world = "service",
    expect = ends("done", 0, "aistudio-dev runs aistudio-dev:1", "v1") },
  { name = "the last deployment was rolled back", world = { "service", crashing "v2", begun "v2", settle },
    expect = ends("rolled_back", 23, "the service runs aistudio-dev:1", "v1") },
  { name = "the last deployment failed and was not rolled back",
    world = { no_rollback, crashing "v2", begun "v2", { "advance", { time = "30m" } } },
    expect = ends("failed", 22, "ECS did not roll it back") },
  { name = "the last deployment was stopped by somebody",
    world = { "service", { "image", { name = "aistudio-dev:v2", start = "5m" } }, begun "v2", { "advance", { time = "60s" } },
      { "stop_deployment", { service = names.service } }, settle },
    expect = ends("stopped", 25, "Somebody had deployment", "v1") },

  -- ---- goals -------------------------------------------------------------------------------------
  { name = "the goal started is reached by the first task that runs",
    world = { "service", image "v2", begun "v2" }, run = follow "started",
    expect = { verdict = "done", writes = {}, message = "has reached started", within = "75s", truth = { moving = true } } },
  { name = "the goal stable waits until nothing of before runs",
    world = { "service", image "v2", begun "v2" }, run = follow "stable",
    expect = { verdict = "done", writes = {}, truth = { images = { "aistudio-dev:v2" }, moving = false } } },
  { name = "the goal drained waits for the targets of before",
    world = { "service", image "v2", begun "v2" }, run = follow "drained",
    expect = { verdict = "done", writes = {}, truth = { images = { "aistudio-dev:v2" }, moving = false } } },
  { name = "the goal started is not reached by what never starts",
    world = { "service", { "image", { name = "aistudio-dev:v2", missing = true } }, begun "v2" }, run = follow "started",
    expect = ends("rolled_back", 23, nil, "v1") },

  -- ---- what cannot be read -----------------------------------------------------------------------
  { name = "without the service deployments it follows the service's own list",
    world = { "service", image "v2", begun "v2", { "deny_calls", { action = "ecs:ListServiceDeployments" } } },
    expect = ends("done", 0, "aistudio-dev runs aistudio-dev:2", "v2") },
  { name = "without the service deployments a rollback is none the less no success",
    world = { "service", crashing "v2", begun "v2", { "deny_calls", { action = "ecs:ListServiceDeployments" } } },
    expect = ends("rolled_back", 23, nil, "v1") },
  { name = "without the service itself it is denied",
    world = { "service", { "deny_calls", { action = "ecs:DescribeServices" } } },
    expect = ends("denied", 5, "ecs:DescribeServices", "v1") },
  { name = "a service that does not exist is refused", world = "service",
    run = { runbook = "deploy/follow", args = { cluster = names.cluster, service = "gone" } },
    expect = ends("refused_by_plan", 30, "There is no service gone in cluster aistudio-dev.", "v1") },
  { name = "a service that CodeDeploy deploys is refused",
    world = { { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", controller = "CODE_DEPLOY" } } },
    expect = ends("refused_by_plan", 30, "CODE_DEPLOY") },
}

for index = 1, #specs do
  specs[index].run = specs[index].run or follow()
end

return specs
