-- How a deployment ends that is given up early (--abort-early): for a cause that cannot come right, long before the
-- circuit breaker has counted enough failures; and for no other. The format is that of deploy.spec.lua. ECS goes back
-- because the run asked it to, so the truth is `undone`.

local registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"

local function deploy()
  return { runbook = "deploy/quick", args = {
    cluster = "aistudio-dev", service = "aistudio-dev", image = registry .. "aistudio-dev:v2", wait = 3600,
    preflight = false, supersede = true, abort_early = true,
  } }
end

local function at(time, command, fields)
  return { "at", { time = time, command = command, args = fields } }
end

local good = { "image", { name = "aistudio-dev:v2" } }
local v1, v2 = { "aistudio-dev:v1" }, { "aistudio-dev:v2" }

-- `within`: from the first command to the verdict; the rollback that ECS is asked for takes some of it.
local function given_up(cause, within)
  return {
    verdict = "failed_undone", exit_code = 20, cause = cause, within = within,
    truth = { ended = "undone", images = v1, serving = true, moving = false },
    calls = { ["ecs.update_service"] = 1, ["ecs.stop_service_deployment"] = 1 },
  }
end

local function without_breaker()
  return { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", circuit_breaker = false } }
end

local endings = {
  {
    name = "an image that is gone is given up after its first task",
    world = { "service", good, at("1s", "delete_image", { image = "aistudio-dev:v2" }) },
    expect = given_up("image_not_found", "155s"),
  },
  {
    name = "an image for another processor is given up after its first task",
    world = { "service", { "image", { name = "aistudio-dev:v2", architecture = "arm64" } } },
    expect = given_up("image_wrong_architecture", "155s"),
  },
  {
    name = "a secret that is denied is given up after its first task",
    world = { "service", good, { "secret", { name = "aistudio/dev/database", denied = true } } },
    expect = given_up("secret_denied", "75s"),
  },
  {
    name = "a secret that is gone is given up after its first task",
    world = { "service", good, { "secret", { name = "aistudio/dev/database", missing = true } } },
    expect = given_up("secret_missing", "75s"),
  },
  {
    name = "a log group that is gone is given up after its first task",
    world = { "service", good, { "no_log_group", { name = "/ecs/aistudio-dev" } } },
    expect = given_up("log_group_missing", "60s"),
  },
  {
    name = "an entry point that is not in the image is given up after its first task",
    world = { "service", { "image", {
      name = "aistudio-dev:v2",
      start_error = 'runc create failed: unable to start container process: exec: "/app/serve": stat /app/serve: '
        .. "no such file or directory: unknown",
    } } },
    expect = given_up("entry_point_missing", "60s"),
  },
  {
    name = "a cause that cannot come right is given up without a circuit breaker too",
    world = { without_breaker(), { "image", { name = "aistudio-dev:v2", architecture = "arm64" } } },
    expect = given_up("image_wrong_architecture", "155s"),
  },
  {
    name = "percentages that leave no room are given up when ECS says so",
    world = {
      { "service", {
        app = "aistudio", env = "dev", image = "aistudio-dev:v1", minimum_healthy_percent = 50, maximum_percent = 100,
      } },
      good,
    },
    expect = given_up("bounds_block"),
  },
  {
    name = "an image that crashes is not given up early: it may come right",
    world = { "service", { "image", { name = "aistudio-dev:v2", crash = { exit = 1, after = "8s" } } } },
    expect = { verdict = "rolled_back", exit_code = 23, truth = { ended = "rolled_back", images = v1, serving = true } },
  },
  {
    name = "an image that runs for a while is not given up for a task that lacked a secret",
    world = {
      "service", { "image", { name = "aistudio-dev:v2", start = "20s" } },
      at("60s", "secret", { name = "aistudio/dev/database", denied = true }),
      at("61s", "stop_tasks", { service = "aistudio-dev", count = 1 }),
      at("150s", "secret", { name = "aistudio/dev/database" }),
    },
    expect = { verdict = "done", exit_code = 0, truth = { ended = "deployed", images = v2, serving = true } },
  },
  {
    name = "a good image is deployed, and nobody looks for trouble",
    world = { "service", good },
    expect = {
      verdict = "done", exit_code = 0, truth = { ended = "deployed", images = v2, serving = true }, at_most = 29,
    },
  },
}

for index = 1, #endings do
  local ending = endings[index]
  ending.run = deploy()
  ending.wanted = "aistudio-dev:v2"
  ending.again = true -- for tools that cannot be told to give up
end

return endings
