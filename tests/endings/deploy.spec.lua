-- How a deployment of a new image can end: what the world is like, what is asked for, and what the world itself says
-- happened (`truth`, see lua/sim/truth.lua), beside the verdict that moonbook must give. `wanted` is the image
-- that must run for anybody to call it a success; tests/compare drives other tools through the same worlds.

local registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"

-- Without looking first, as other tools do: what is found beforehand never gets to an end of its own.
local function deploy(wait)
  return { runbook = "deploy/quick", args = {
    cluster = "aistudio-dev", service = "aistudio-dev", image = registry .. "aistudio-dev:v2", wait = wait or 3600,
    preflight = false, supersede = true,
  } }
end

local function careful_deploy()
  return { runbook = "deploy/quick", args = {
    cluster = "aistudio-dev", service = "aistudio-dev", image = registry .. "aistudio-dev:v2", wait = 3600,
  } }
end

local function at(time, command, args)
  return { "at", { time = time, command = command, args = args } }
end

local function somebody(time, operation, input)
  input.cluster, input.service = "aistudio-dev", "aistudio-dev"
  return at(time, "someone_calls", { service = "ecs", operation = operation, input = input })
end

local good = { "image", { name = "aistudio-dev:v2" } }
local crashing = { "image", { name = "aistudio-dev:v2", crash = { exit = 1, after = "8s", says = "no database" } } }

local function plain_service(breaker)
  return { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", circuit_breaker = breaker } }
end

-- One whose load balancer does not hurry new tasks.
local patient_service = { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", grace = 1200 } }

local v0, v1, v2 = { "aistudio-dev:v0" }, { "aistudio-dev:v1" }, { "aistudio-dev:v2" }
local deployed = { verdict = "done", exit_code = 0, truth = { ended = "deployed", images = v2, serving = true } }
local rolled_back = {
  verdict = "rolled_back", exit_code = 23, truth = { ended = "rolled_back", images = v1, serving = true },
}
local refused = {
  verdict = "refused_by_plan", exit_code = 30, truth = { ended = "nothing_changed", images = v1, serving = true },
}
local superseded = { verdict = "superseded", exit_code = 24, truth = { ended = "superseded", newest = false } }
local still_running = {
  verdict = "timed_out", exit_code = 40, truth = { ended = "still_running", images = v1, serving = true },
}

local endings = {
  {
    name = "a good image is deployed",
    world = { "service", good },
    expect = deployed,
  },
  {
    name = "a slow image is deployed, slowly",
    world = { patient_service, { "image", { name = "aistudio-dev:v2", start = "150s" } } },
    expect = deployed,
  },
  {
    name = "a deployment of more than ten minutes is deployed",
    world = {
      { "service", {
        app = "aistudio", env = "dev", desired = 6, image = "aistudio-dev:v1", minimum_healthy_percent = 100,
        maximum_percent = 120,
      } },
      { "image", { name = "aistudio-dev:v2", start = "45s" } },
    },
    expect = { verdict = "done", exit_code = 0, truth = { ended = "deployed", images = v2, running = 6 } },
  },
  {
    name = "an image that crashes is rolled back by the circuit breaker",
    world = { "service", crashing },
    expect = rolled_back,
  },
  {
    name = "an image that crashes is stopped by a circuit breaker that does not roll back",
    world = { plain_service { enable = true, rollback = false }, crashing },
    expect = { verdict = "failed", exit_code = 22, truth = { ended = "failed", images = v1, serving = true } },
  },
  {
    name = "an image that crashes without a circuit breaker is tried for ever",
    world = { plain_service(false), crashing },
    run = deploy(1800),
    expect = { verdict = "timed_out", exit_code = 40, truth = { ended = "still_running", serving = true } },
  },
  {
    name = "an image that runs out of memory is rolled back",
    world = { "service", { "image", { name = "aistudio-dev:v2", out_of_memory = "6s" } } },
    expect = rolled_back,
  },
  {
    name = "an image whose health page is missing is rolled back",
    world = { "service", { "image", { name = "aistudio-dev:v2", paths = { ["/"] = 200 } } } },
    expect = rolled_back,
  },
  {
    name = "an image that crashes only after the deployment is complete was deployed",
    world = { "service", { "image", { name = "aistudio-dev:v2", crash = { exit = 1, after = "200s" } } } },
    expect = { verdict = "done", exit_code = 0, truth = { ended = "deployed", status = "SUCCESSFUL" } },
  },
  {
    name = "an image for another processor is rolled back",
    world = { "service", { "image", { name = "aistudio-dev:v2", architecture = "arm64" } } },
    expect = rolled_back,
  },
  {
    name = "an image without its entry point is rolled back",
    world = { "service", { "image", {
      name = "aistudio-dev:v2",
      start_error = 'runc create failed: unable to start container process: exec: "/app/serve": stat /app/serve: '
        .. "no such file or directory: unknown",
    } } },
    expect = rolled_back,
  },
  {
    name = "an image that is not in the registry does not get to run",
    world = { "service", { "image", { name = "aistudio-dev:v2", missing = true } } },
    expect = refused,
    otherwise = rolled_back.truth,
  },
  {
    name = "an image that is deleted before its tasks pull it is rolled back",
    world = { "service", good, at("1s", "delete_image", { image = "aistudio-dev:v2" }) },
    expect = rolled_back,
  },
  {
    name = "a secret that is denied to new tasks makes ECS roll back",
    world = { "service", good, { "secret", { name = "aistudio/dev/database", denied = true } } },
    expect = rolled_back,
  },
  {
    name = "a secret that is gone makes ECS roll back",
    world = { "service", good, { "secret", { name = "aistudio/dev/database", missing = true } } },
    expect = rolled_back,
  },
  {
    name = "a log group that is gone makes ECS roll back",
    world = { "service", good, { "no_log_group", { name = "/ecs/aistudio-dev" } } },
    expect = rolled_back,
  },
  {
    name = "an alarm that fires meanwhile makes ECS roll back",
    world = {
      { "service", {
        app = "aistudio", env = "dev", image = "aistudio-dev:v1", alarms = true,
        deployment_alarms = { "aistudio-dev-high-cpu" },
      } },
      good, at("70s", "force_alarm", { name = "aistudio-dev-high-cpu" }),
    },
    expect = rolled_back,
  },
  {
    name = "an alarm that fires already is not watched by ECS: the image is deployed, and not proved",
    world = {
      { "service", {
        app = "aistudio", env = "dev", image = "aistudio-dev:v1", alarms = true,
        deployment_alarms = { "aistudio-dev-high-cpu" },
      } },
      good, { "force_alarm", { name = "aistudio-dev-high-cpu" } }, { "advance", { time = "2m" } },
    },
    expect = {
      verdict = "check_failed", exit_code = 10, truth = { ended = "deployed", images = v2, serving = true },
    },
  },
  {
    name = "somebody's other image right after supersedes ours",
    world = {
      "service", good, { "image", { name = "aistudio-dev:v3" } },
      at("5s", "deploy", { service = "aistudio-dev", image = "aistudio-dev:v3" }),
    },
    expect = superseded,
  },
  {
    name = "somebody's other image late in the rollout supersedes ours",
    world = {
      "service", good, { "image", { name = "aistudio-dev:v3" } },
      at("100s", "deploy", { service = "aistudio-dev", image = "aistudio-dev:v3" }),
    },
    expect = superseded,
  },
  {
    name = "somebody's deployment of the same image supersedes ours",
    world = { "service", good, at("30s", "deploy", { service = "aistudio-dev", image = "aistudio-dev:v2" }) },
    expect = superseded,
  },
  {
    name = "somebody's rollback by hand supersedes ours",
    world = { "service", good, somebody("60s", "update_service", { task_definition = "aistudio-dev:1" }) },
    expect = superseded,
  },
  {
    name = "a deployment that somebody stops is rolled back, which is neither success nor the image's fault",
    world = { "service", good, at("60s", "stop_deployment", { service = "aistudio-dev" }) },
    expect = { verdict = "stopped", exit_code = 25, truth = { ended = "stopped", images = v1, serving = true } },
  },
  {
    name = "a deployment that takes longer than the run waits for is still under way",
    world = { patient_service, { "image", { name = "aistudio-dev:v2", start = "12m" } } },
    run = deploy(300),
    expect = {
      verdict = "timed_out", exit_code = 40, truth = { ended = "still_running", serving = true },
      later = { ended = "deployed", images = v2, serving = true },
    },
  },
  {
    name = "a deployment that is failing when the run's time is up is still under way",
    world = { "service", crashing },
    run = deploy(60),
    expect = {
      verdict = "timed_out", exit_code = 40, truth = { ended = "still_running", images = v1, serving = true },
      later = { ended = "rolled_back", images = v1, serving = true },
    },
  },
  {
    name = "a definition that somebody deregisters meanwhile is deployed all the same",
    world = { "service", good, at("20s", "someone_calls", {
      service = "ecs", operation = "deregister_task_definition", input = { task_definition = "aistudio-dev:2" },
    }) },
    expect = deployed,
  },
  {
    name = "a service that is deleted meanwhile is gone",
    world = { "service", good, somebody("60s", "delete_service", { force = true }) },
    expect = { verdict = "failed", exit_code = 22, truth = { ended = "deleted" } },
  },
  {
    name = "a service that is scaled up meanwhile is deployed at its new size",
    world = { "service", good, somebody("40s", "update_service", { desired_count = 3 }) },
    expect = { verdict = "done", exit_code = 0, truth = { ended = "deployed", images = v2, running = 3 } },
  },
  {
    name = "a service that is scaled down meanwhile is deployed at its new size",
    world = {
      { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", desired = 3 } },
      good, somebody("40s", "update_service", { desired_count = 1 }),
    },
    expect = { verdict = "done", exit_code = 0, truth = { ended = "deployed", images = v2, running = 1 } },
  },
  {
    name = "a service that is scaled to zero meanwhile runs nothing",
    world = { "service", good, somebody("40s", "update_service", { desired_count = 0 }) },
    expect = { verdict = "check_failed", exit_code = 10, truth = { running = 0, serving = false } },
  },
  {
    name = "a service that auto scaling enlarges meanwhile is deployed at its new size",
    world = {
      { "service", {
        app = "aistudio", env = "dev", image = "aistudio-dev:v1", autoscaling = { min = 1, max = 3 }, alarms = true,
        grace = 1200,
      } },
      { "image", { name = "aistudio-dev:v2", start = "4m" } },
      { "load", { service = "aistudio-dev", percent = { cpu = 95, memory = 40 } } },
      { "advance", { time = "1m" } },
    },
    expect = deployed,
  },
  {
    name = "a first deployment that is good is deployed",
    world = {
      { "image", { name = "aistudio-dev:v1", crash = { exit = 1, after = "5s" } } },
      { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", wait = false } },
      good, { "advance", { time = "20s" } },
    },
    expect = deployed,
  },
  {
    name = "a first deployment that is bad has nothing to go back to",
    world = {
      { "image", { name = "aistudio-dev:v1", crash = { exit = 1, after = "5s" } } },
      { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", wait = false } },
      crashing, { "advance", { time = "20s" } },
    },
    expect = { verdict = "failed", exit_code = 22, truth = { ended = "failed", serving = false } },
  },
  {
    name = "percentages that leave no room make no progress",
    world = {
      { "service", {
        app = "aistudio", env = "dev", image = "aistudio-dev:v1", minimum_healthy_percent = 50, maximum_percent = 100,
      } },
      good,
    },
    run = deploy(1200),
    expect = {
      verdict = "failed", exit_code = 22, truth = { ended = "still_running", images = v1, serving = true }, within = "60s",
    },
  },
  {
    name = "a service that may have no healthy task at all is deployed after an outage",
    world = {
      { "service", {
        app = "aistudio", env = "dev", image = "aistudio-dev:v1", minimum_healthy_percent = 0, maximum_percent = 100,
      } },
      good,
    },
    expect = deployed,
  },
  {
    name = "a service that may have no healthy task at all is rolled back from a bad image after an outage",
    world = {
      { "service", {
        app = "aistudio", env = "dev", image = "aistudio-dev:v1", minimum_healthy_percent = 0, maximum_percent = 100,
      } },
      crashing,
    },
    expect = rolled_back,
  },
  {
    name = "a service without a load balancer is deployed",
    world = {
      { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", load_balancer = false } },
      good,
    },
    expect = { verdict = "done", exit_code = 0, truth = { ended = "deployed", images = v2 } },
  },
  {
    name = "a service without a load balancer is rolled back from an image that crashes",
    world = {
      { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", load_balancer = false } },
      crashing,
    },
    expect = { verdict = "rolled_back", exit_code = 23, truth = { ended = "rolled_back", images = v1 } },
  },
  {
    name = "tasks that find no capacity are rolled back",
    world = { "service", good, { "no_capacity", { service = "aistudio-dev" } } },
    expect = rolled_back,
  },
  {
    name = "tasks that find no capacity for a minute are deployed after it",
    world = { "service", good, { "no_capacity", { service = "aistudio-dev", lasting = "60s" } } },
    expect = deployed,
  },
  {
    name = "a secret that is repaired before the circuit breaker trips is no failure",
    world = {
      "service", good, { "secret", { name = "aistudio/dev/database", denied = true } },
      at("90s", "secret", { name = "aistudio/dev/database" }),
    },
    expect = deployed,
  },
  {
    name = "of two people who deploy at the same moment the first is superseded",
    world = { "service", good, { "image", { name = "aistudio-dev:v3" } },
      at("1s", "deploy", { service = "aistudio-dev", image = "aistudio-dev:v3" }),
    },
    expect = superseded,
  },
  {
    name = "a rollback that ECS begins fails when what it restores is broken as well",
    world = {
      { "service", {
        app = "aistudio", env = "dev", image = "aistudio-dev:v1", minimum_healthy_percent = 0, maximum_percent = 100,
      } },
      crashing,
      at("30s", "behave", { image = "aistudio-dev:v1", crash = { exit = 1, after = "5s" } }),
    },
    expect = { verdict = "failed", exit_code = 22, truth = { ended = "failed", serving = false } },
  },
  {
    name = "what an earlier deployment left in the events does not end the wait",
    world = {
      "service", { "image", { name = "aistudio-dev:v0" } },
      { "deploy", { service = "aistudio-dev", image = "aistudio-dev:v0", wait = true } }, crashing,
    },
    expect = { verdict = "rolled_back", exit_code = 23, truth = { ended = "rolled_back", images = v0 } },
  },
  {
    name = "a deployment on top of somebody's bad one is deployed",
    world = {
      "service", good, { "image", { name = "aistudio-dev:v3", crash = { exit = 1, after = "5s" } } },
      { "deploy", { service = "aistudio-dev", image = "aistudio-dev:v3" } }, { "advance", { time = "45s" } },
    },
    expect = deployed,
  },
  {
    name = "a log group that is gone is found before anything is changed",
    world = { "service", good, { "no_log_group", { name = "/ecs/aistudio-dev" } } },
    run = careful_deploy(),
    expect = refused,
    otherwise = rolled_back.truth,
    again = true,
  },
  {
    name = "a secret that is gone is found before anything is changed",
    world = { "service", good, { "secret", { name = "aistudio/dev/database", missing = true } } },
    run = careful_deploy(),
    expect = refused,
    otherwise = rolled_back.truth,
    again = true,
  },
  {
    name = "an alarm that fires already is found before anything is changed",
    world = {
      { "service", {
        app = "aistudio", env = "dev", image = "aistudio-dev:v1", alarms = true,
        deployment_alarms = { "aistudio-dev-high-cpu" },
      } },
      good, { "force_alarm", { name = "aistudio-dev-high-cpu" } },
    },
    run = careful_deploy(),
    expect = refused,
    otherwise = deployed.truth,
    again = true,
  },
  {
    name = "percentages that leave no room are found before anything is changed",
    world = {
      { "service", {
        app = "aistudio", env = "dev", image = "aistudio-dev:v1", minimum_healthy_percent = 50, maximum_percent = 100,
      } },
      good,
    },
    run = careful_deploy(),
    expect = refused,
    otherwise = still_running.truth,
    again = true,
  },
  {
    name = "a deployment that is under way is not replaced unasked",
    world = {
      "service", good, { "image", { name = "aistudio-dev:v3" } },
      { "deploy", { service = "aistudio-dev", image = "aistudio-dev:v3" } }, { "advance", { time = "45s" } },
    },
    run = careful_deploy(),
    expect = { verdict = "refused_by_plan", exit_code = 30, truth = { ended = "nothing_changed", images = v1 } },
    otherwise = deployed.truth,
  },
}

for index = 1, #endings do
  local ending = endings[index]
  ending.run = ending.run or deploy()
  ending.wanted = "aistudio-dev:v2"
end

return endings
