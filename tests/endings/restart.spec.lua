-- How a restart can end: a forced deployment of the task definition that the service has. The format is that of
-- deploy.spec.lua. A tag that was moved makes a restart a deployment of another image, and a rollback to "the same task
-- definition", which nobody can tell by its name.

local function restart(wait)
  local args = { cluster = "aistudio-dev", service = "aistudio-dev", wait = wait or 3600 }
  return { runbook = "deploy/restart", args = args }
end

local function at(time, command, args)
  return { "at", { time = time, command = command, args = args } }
end

local v1 = { "aistudio-dev:v1" }
local rolled_back = {
  verdict = "rolled_back", exit_code = 23, truth = { ended = "rolled_back", images = v1, serving = true },
}

local endings = {
  {
    name = "a restart of a healthy service is deployed",
    world = { "service" },
    wanted = "aistudio-dev:v1",
    expect = { verdict = "done", exit_code = 0, truth = { ended = "deployed", images = v1, serving = true } },
  },
  {
    name = "a restart under a tag that was moved to a good image deploys that image",
    world = {
      "service", { "image", { name = "aistudio-dev:v2" } },
      { "move_tag", { image = "aistudio-dev:v1", to = "aistudio-dev:v2" } },
    },
    wanted = "aistudio-dev:v2",
    expect = {
      verdict = "done", exit_code = 0,
      truth = { ended = "deployed", images = { "aistudio-dev:v2" }, serving = true },
    },
  },
  {
    name = "a restart under a tag that was moved to a crashing image is rolled back on the same task definition",
    world = {
      "service", { "image", { name = "aistudio-dev:v2", crash = { exit = 1, after = "8s" } } },
      { "move_tag", { image = "aistudio-dev:v1", to = "aistudio-dev:v2" } },
    },
    wanted = "aistudio-dev:v2",
    expect = rolled_back,
  },
  {
    name = "a restart of an image that is gone is rolled back",
    world = { "service", { "delete_image", { image = "aistudio-dev:v1" } } },
    wanted = "aistudio-dev:v1",
    expect = rolled_back,
  },
  {
    name = "a restart that somebody else's restart overtakes is superseded",
    world = { "service", at("40s", "someone_calls", {
      service = "ecs", operation = "update_service",
      input = { cluster = "aistudio-dev", service = "aistudio-dev", force_new_deployment = true },
    }) },
    wanted = "aistudio-dev:v1",
    expect = { verdict = "superseded", exit_code = 24, truth = { ended = "superseded", newest = false } },
  },
  {
    name = "a restart of a task definition that is deregistered is refused by ECS",
    world = { "service", { "someone_calls", {
      service = "ecs", operation = "deregister_task_definition", input = { task_definition = "aistudio-dev:1" },
    } } },
    wanted = "aistudio-dev:v1",
    expect = { verdict = "failed", exit_code = 22, truth = { ended = "nothing_changed", images = v1, serving = true } },
  },
  {
    name = "a restart of a service that crashes by now fails, and so does the rollback",
    world = {
      "service", { "behave", { image = "aistudio-dev:v1", crash = { exit = 1, after = "8s" } } },
    },
    wanted = "aistudio-dev:v1",
    expect = { verdict = "failed", exit_code = 22, truth = { ended = "failed", serving = false } },
  },
  {
    name = "a restart that finds no capacity in time is still under way",
    world = { { "service", {
      app = "aistudio", env = "dev", image = "aistudio-dev:v1", circuit_breaker = false,
    } }, { "no_capacity", { service = "aistudio-dev" } } },
    run = restart(900),
    wanted = "aistudio-dev:v1",
    expect = {
      verdict = "timed_out", exit_code = 40, truth = { ended = "still_running", images = v1, serving = true },
    },
  },
}

for index = 1, #endings do
  endings[index].run = endings[index].run or restart()
end

return endings
