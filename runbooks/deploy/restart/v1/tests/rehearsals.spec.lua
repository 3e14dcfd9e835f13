-- deploy/restart on simulated worlds: how deployments really end, in virtual time. `moonbook test` runs
-- these; trouble.spec.lua beside this file has what AWS and people do to a run.

local args = { cluster = "aistudio-dev", service = "aistudio-dev" }

local function running(count)
  return {
    call = "ecs.describe_services",
    input = { cluster = "aistudio-dev", services = { "aistudio-dev" } },
    at = "services.1.running_count",
    is = count,
  }
end

return {
  {
    name = "a restart is followed to its end",
    world = "service",
    run = { runbook = "deploy/restart", args = args },
    expect = {
      verdict = "done",
      writes = { "ecs.update_service" },
      at_most = 45,
      within = "5m",
      world = { running(1) },
    },
  },
  {
    name = "a tag that was moved to an image that crashes is rolled back by ECS, which is no success",
    world = {
      "service",
      { "image", { name = "aistudio-dev:v2", crash = { exit = 1, after = "8s" } } },
      { "move_tag", { image = "aistudio-dev:v1", to = "aistudio-dev:v2" } },
    },
    run = { runbook = "deploy/restart", args = args },
    expect = { verdict = "rolled_back", exit_code = 23, writes = { "ecs.update_service" }, world = { running(1) } },
  },
  {
    name = "a secret that is denied to new tasks is rolled back by ECS, which is no success",
    world = { "service", { "secret", { name = "aistudio/dev/database", denied = true } } },
    run = { runbook = "deploy/restart", args = args },
    expect = { verdict = "rolled_back", world = { running(1) } },
  },
  {
    name = "a rollback that fails as well is a failure",
    world = { "service", { "behave", { image = "aistudio-dev:v1", crash = { exit = 1, after = "8s" } } } },
    run = { runbook = "deploy/restart", args = args },
    expect = { verdict = "failed", exit_code = 22, message = "and so did ECS's rollback", world = { running(0) } },
  },
  {
    name = "a deployment that somebody else starts meanwhile supersedes ours",
    world = {
      "service",
      { "at", { time = "60s", command = "someone_calls", args = {
        service = "ecs", operation = "update_service",
        input = { cluster = "aistudio-dev", service = "aistudio-dev", force_new_deployment = true },
      } } },
    },
    run = { runbook = "deploy/restart", args = args },
    expect = { verdict = "superseded", exit_code = 24 },
  },
  {
    name = "an image that is gone is rolled back by ECS, which is no success",
    world = { "service", { "delete_image", { image = "aistudio-dev:v1" } } },
    run = { runbook = "deploy/restart", args = args },
    expect = { verdict = "rolled_back", world = { running(1) } },
  },
  {
    name = "what is still under way at the end is no success",
    world = { "service", { "behave", { image = "aistudio-dev:v1", start = "30m" } } },
    run = { runbook = "deploy/restart", args = { cluster = "aistudio-dev", service = "aistudio-dev", wait = 120 } },
    expect = { verdict = "timed_out", exit_code = 40 },
  },
  {
    name = "throttling all along slows it down and no more",
    world = { "service", { "throttle", { service = "ecs", percent = 30 } } },
    run = { runbook = "deploy/restart", args = args },
    expect = { verdict = "done", world = { running(1) } },
  },
  {
    name = "a denied write changes nothing",
    world = { "service", { "deny_calls", { action = "ecs:UpdateService" } } },
    run = { runbook = "deploy/restart", args = args },
    expect = { verdict = "denied", exit_code = 5, writes = nil },
  },
  {
    name = "plan only reads",
    world = "service",
    run = { runbook = "deploy/restart", args = args, plan_only = true },
    expect = { verdict = "done", calls = { ["ecs.update_service"] = 0 } },
  },
  {
    name = "a service that does not exist is refused",
    world = "service",
    run = { runbook = "deploy/restart", args = { cluster = "aistudio-dev", service = "nothing" } },
    expect = { verdict = "refused_by_plan", calls = { ["ecs.update_service"] = 0 } },
  },
}
