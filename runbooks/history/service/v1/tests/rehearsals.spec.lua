-- history/service on simulated worlds: whether it says right what one can go back to. Its
-- last sentence says what a rollback would do, and rollback/ecs is run to see that it does.

local names = { cluster = "aistudio-dev", service = "aistudio-dev" }
local run = { runbook = "history/service", args = names }
local back = { runbook = "rollback/ecs", args = names }

local function image(version)
  return { "image", { name = "aistudio-dev:" .. version } }
end

local function crashing(version)
  return { "image", { name = "aistudio-dev:" .. version, crash = { exit = 1, after = "8s" } } }
end

local function begun(version)
  return { "deploy", { service = names.service, image = "aistudio-dev:" .. version } }
end

local settle = { "settle", { timeout = "60m" } }

local function says(message)
  return { verdict = "done", exit_code = 0, writes = {}, message = message }
end

-- What it says of a world, and that a rollback then really goes there.
local function foretells(name, world, message, version)
  return { name = name, world = world, runs = {
    { run = run, expect = says(message) },
    { run = back, expect = { verdict = "done", truth = { images = { "aistudio-dev:" .. version } } } },
  } }
end

local three = { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v3", history = { "v1", "v2" } } }

return {
  foretells("after three versions it is the second", { three },
    "3 of 3 deployments of aistudio-dev; a rollback now would go to aistudio-dev:2 (", "v2"),
  foretells("after a rollback by ECS it is the one before what runs", { three, crashing "v4", begun "v4", settle },
    "4 of 4 deployments of aistudio-dev; a rollback now would go to aistudio-dev:2 (", "v2"),
  foretells("an image that is gone is no answer", { three, { "delete_image", { image = "aistudio-dev:v2" } } },
    "a rollback now would go to aistudio-dev:1 (", "v1"),
  foretells("after a failure without rollback it is the last good one",
    { { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v2", history = { "v1" },
      circuit_breaker = { enable = true, rollback = false } } }, crashing "v3", begun "v3", { "advance", { time = "30m" } } },
    "a rollback now would go to aistudio-dev:2 (", "v2"),
  foretells("while a deployment is under way it is stopped",
    { three, { "image", { name = "aistudio-dev:v4", start = "5m" } }, begun "v4", { "advance", { time = "60s" } } },
    "a rollback now would stop the deployment under way and have ECS go back to aistudio-dev:3 (", "v3"),
  {
    name = "what was gone back from is no answer, and the one below it is",
    world = { three },
    runs = {
      { run = back, expect = { verdict = "done" } },
      { run = run, expect = says "a rollback now would go to aistudio-dev:1 (" },
    },
  },
  {
    name = "a first version has nothing before it",
    world = "service", run = run, expect = says "1 of 1 deployments of aistudio-dev; there is nothing that a rollback could go to",
  },
  {
    name = "a limit shows fewer rows and tells of all",
    world = { three }, run = { runbook = "history/service", args = {
      cluster = names.cluster, service = names.service, limit = 1 } },
    expect = says "1 of 3 deployments of aistudio-dev; a rollback now would go to aistudio-dev:2 (",
  },
  {
    name = "a history that may not be read is refused, and not shown as empty",
    world = { "service", { "deny_calls", { action = "ecs:ListServiceDeployments" } } }, run = run,
    expect = { verdict = "refused_by_plan", exit_code = 30, writes = {}, message = "cannot be read" },
  },
  {
    name = "without the right to ask the registry it tells what it can",
    world = { three, { "deny_calls", { action = "ecr:DescribeImages" } } }, run = run,
    expect = says "a rollback now would go to aistudio-dev:2 (",
  },
  {
    name = "a service that does not exist is refused", world = "service",
    run = { runbook = "history/service", args = { cluster = names.cluster, service = "gone" } },
    expect = { verdict = "refused_by_plan", exit_code = 30, writes = {}, message = "There is no service gone" },
  },
}
