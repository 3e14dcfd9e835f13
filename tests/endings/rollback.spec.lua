-- How a rollback can end. The format is that of deploy.spec.lua; `wanted` is the image that ran before, by the
-- name it was built under, so that a tag that means something else by now cannot pass for it.

local function rollback(to, wait)
  return { runbook = "rollback/ecs", args = {
    cluster = "aistudio-dev", service = "aistudio-dev", to = to, wait = wait or 3600,
  } }
end

local function image(version, more)
  more = more or {}
  more.name = "aistudio-dev:" .. version
  return { "image", more }
end

local function deployed(version)
  return { "deploy", { service = "aistudio-dev", image = "aistudio-dev:" .. version, wait = true } }
end

local function begun(version)
  return { "deploy", { service = "aistudio-dev", image = "aistudio-dev:" .. version } }
end

local function update(input)
  input.cluster, input.service = "aistudio-dev", "aistudio-dev"
  return { "someone_calls", { service = "ecs", operation = "update_service", input = input } }
end

local settle = { "settle", { timeout = "60m" } }
local v1, v2 = { "aistudio-dev:v1" }, { "aistudio-dev:v2" }

local function back_to(images, ended)
  return { verdict = "done", exit_code = 0, truth = {
    ended = ended, images = images, primary = images[1], moving = false, serving = true,
  } }
end

local endings = {
  {
    name = "a rollback of a complete deployment brings what ran before",
    world = { "service", image "v2", deployed "v2" },
    wanted = "aistudio-dev:v1",
    expect = back_to(v1, "deployed"),
  },
  {
    name = "a rollback after v1, v2, v3 brings v2",
    world = { "service", image "v2", image "v3", deployed "v2", deployed "v3" },
    wanted = "aistudio-dev:v2",
    expect = back_to(v2, "deployed"),
  },
  {
    name = "a second rollback after v1, v2, v3 brings v1, never v3 again",
    world = {
      "service", image "v2", image "v3", deployed "v2", deployed "v3",
      update { task_definition = "aistudio-dev:2" }, settle,
    },
    wanted = "aistudio-dev:v1",
    expect = back_to(v1, "deployed"),
  },
  {
    name = "a rollback to a revision that is named brings that one",
    world = { "service", image "v2", image "v3", deployed "v2", deployed "v3" },
    run = rollback "aistudio-dev:1",
    wanted = "aistudio-dev:v1",
    expect = back_to(v1, "deployed"),
  },
  {
    name = "a rollback of a deployment in progress brings what ran before",
    world = { "service", image("v2", { start = "5m" }), begun "v2", { "advance", { time = "60s" } } },
    wanted = "aistudio-dev:v1",
    expect = back_to(v1),
  },
  {
    name = "a rollback of a deployment that keeps failing without a breaker brings what ran before",
    world = {
      { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", circuit_breaker = false } },
      image("v2", { crash = { exit = 1, after = "8s" } }), begun "v2", { "advance", { time = "10m" } },
    },
    wanted = "aistudio-dev:v1",
    expect = back_to(v1),
  },
  {
    name = "a rollback while ECS is rolling back already waits for that and writes nothing",
    world = {
      "service", image("v2", { start = "5m" }), begun "v2", { "advance", { time = "60s" } },
      { "stop_deployment", { service = "aistudio-dev" } }, { "advance", { time = "4s" } },
    },
    wanted = "aistudio-dev:v1",
    expect = {
      exit_code = 0, truth = { ended = "nothing_changed", images = v1, serving = true },
      calls = { ["ecs.update_service"] = 0, ["ecs.stop_service_deployment"] = 0 },
    },
  },
  {
    name = "a rollback after ECS has rolled back goes to what ran before that, not to the failed image",
    world = {
      "service", image "v2", image("v3", { crash = { exit = 1, after = "8s" } }),
      deployed "v2", begun "v3", settle,
    },
    wanted = "aistudio-dev:v1",
    expect = back_to(v1, "deployed"),
  },
  {
    name = "a rollback over a failed deployment without rollback brings what ran before",
    world = {
      { "service", {
        app = "aistudio", env = "dev", image = "aistudio-dev:v1", circuit_breaker = { enable = true, rollback = false },
      } },
      image("v2", { crash = { exit = 1, after = "8s" } }), begun "v2", { "advance", { time = "30m" } },
    },
    wanted = "aistudio-dev:v1",
    expect = back_to(v1),
  },
  {
    name = "a rollback brings the digest that ran, though its tag means another image by now",
    world = {
      "service", image "v2", image "v9", deployed "v2",
      { "move_tag", { image = "aistudio-dev:v1", to = "aistudio-dev:v9" } },
    },
    wanted = "aistudio-dev:v1",
    expect = back_to(v1, "deployed"),
  },
  {
    name = "a rollback under one moving tag brings the digest that ran",
    world = {
      "service", image "v2",
      { "move_tag", { image = "aistudio-dev:v1", to = "aistudio-dev:v2" } },
      update { force_new_deployment = true }, settle,
    },
    -- The old digest has no tag any more; it is in the registry all the same.
    wanted = "aistudio-dev:v1",
    expect = back_to(v1, "deployed"),
  },
  {
    name = "a rollback to an image that is gone does not touch the service",
    world = { "service", image "v2", deployed "v2", { "delete_image", { image = "aistudio-dev:v1" } } },
    wanted = "aistudio-dev:v1",
    expect = {
      verdict = "refused_by_plan", exit_code = 30,
      truth = { ended = "nothing_changed", images = v2, serving = true },
    },
  },
  {
    name = "a rollback passes over an image that is gone",
    world = {
      "service", image "v2", image "v3", deployed "v2", deployed "v3",
      { "delete_image", { image = "aistudio-dev:v2" } },
    },
    wanted = "aistudio-dev:v1",
    expect = back_to(v1, "deployed"),
  },
  {
    name = "a rollback to a deregistered task definition brings its image",
    world = {
      "service", image "v2", deployed "v2",
      { "someone_calls", {
        service = "ecs", operation = "deregister_task_definition", input = { task_definition = "aistudio-dev:1" },
      } },
    },
    wanted = "aistudio-dev:v1",
    expect = back_to(v1, "deployed"),
  },
  {
    name = "a rollback passes over revisions that were registered and never ran",
    world = {
      "service", image "v2", image "v3", deployed "v2", begun "v3", { "advance", { time = "5s" } },
      update { task_definition = "aistudio-dev:2" }, settle,
    },
    wanted = "aistudio-dev:v1",
    expect = back_to(v1, "deployed"),
  },
  {
    name = "a rollback of a service that was never anything else has nothing to go back to",
    world = { "service" },
    expect = {
      verdict = "refused_by_plan", exit_code = 30,
      truth = { ended = "nothing_changed", images = v1, serving = true },
    },
  },
  {
    name = "a rollback after a mere restart has no other image to go back to",
    world = { "service", update { force_new_deployment = true }, settle },
    expect = {
      verdict = "refused_by_plan", exit_code = 30,
      truth = { ended = "nothing_changed", images = v1, serving = true },
    },
  },
  {
    name = "a rollback to what is broken by now fails and leaves what runs",
    world = {
      "service", image "v2", deployed "v2", image("v1", { crash = { exit = 1, after = "8s" } }),
    },
    wanted = "aistudio-dev:v1",
    expect = {
      verdict = "rolled_back", exit_code = 23, truth = { ended = "rolled_back", images = v2, serving = true },
    },
  },
  {
    name = "a rollback that somebody's deployment overtakes is superseded",
    world = {
      "service", image "v2", image "v3", deployed "v2",
      { "at", { time = "40s", command = "deploy", args = { service = "aistudio-dev", image = "aistudio-dev:v3" } } },
    },
    wanted = "aistudio-dev:v1",
    expect = { verdict = "superseded", exit_code = 24, truth = { ended = "superseded", newest = false } },
  },
  {
    name = "a rollback by a person who may not update services changes nothing",
    world = { "service", image "v2", deployed "v2", { "deny_calls", { action = "ecs:UpdateService" } } },
    wanted = "aistudio-dev:v1",
    expect = { verdict = "denied", exit_code = 5, truth = { ended = "nothing_changed", images = v2, serving = true } },
  },
  {
    name = "a rollback whose UpdateService answer is cut off was applied and brings what ran before",
    world = {
      "service", image "v2", deployed "v2",
      { "cut_answers", { service = "ecs", operation = "update_service", count = 1 } },
    },
    wanted = "aistudio-dev:v1",
    expect = back_to(v1, "deployed"),
  },
}

for index = 1, #endings do
  endings[index].run = endings[index].run or rollback()
end

return endings
