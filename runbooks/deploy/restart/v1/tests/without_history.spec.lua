-- deploy/restart where service deployments may not be read: the service's own list of deployments has to do,
-- and says of each ending the same.

local args = { cluster = "aistudio-dev", service = "aistudio-dev" }
local run = { runbook = "deploy/restart", args = args }

local function service(breaker, more)
  local fields = more or {}
  fields.app, fields.env, fields.image, fields.circuit_breaker = "aistudio", "dev", "aistudio-dev:v1", breaker
  return { "service", fields }
end

local blind = { "deny_calls", { action = "ecs:ListServiceDeployments" } }
local unseen = { "deny_calls", { action = "ecs:DescribeServiceDeployments" } }
local crashing = { "image", { name = "aistudio-dev:v2", crash = { exit = 1, after = "8s" } } }
local moved = { "move_tag", { image = "aistudio-dev:v1", to = "aistudio-dev:v2" } }

local function somebody(time, operation, input)
  input.cluster, input.service = args.cluster, args.service
  return { "at", { time = time, command = "someone_calls", args = { service = "ecs", operation = operation, input = input } } }
end

return {
  {
    name = "a good restart is followed to its end",
    world = { "service", blind, unseen },
    run = run,
    expect = { verdict = "done", truth = { ended = "deployed", serving = true }, writes = { "ecs.update_service" } },
  },
  {
    name = "a rollback by ECS is no success",
    world = { "service", crashing, moved, blind, unseen },
    run = run,
    expect = { verdict = "rolled_back", exit_code = 23, truth = { ended = "rolled_back", serving = true } },
  },
  {
    name = "a failure that ECS leaves where it is is told after a minute",
    world = { service { enable = true, rollback = false }, crashing, moved, blind, unseen },
    run = run,
    expect = { verdict = "failed", exit_code = 22, message = "did not roll it back", truth = { ended = "failed" } },
  },
  {
    name = "a rollback that fails as well is a failure",
    world = {
      service({ enable = true, rollback = true }, { minimum_healthy_percent = 0, maximum_percent = 100 }),
      { "behave", { image = "aistudio-dev:v1", crash = { exit = 1, after = "8s" } } }, blind, unseen,
    },
    run = run,
    expect = { verdict = "failed", exit_code = 22, truth = { serving = false } },
  },
  {
    name = "somebody else's deployment supersedes it",
    world = { "service", blind, unseen, somebody("60s", "update_service", { force_new_deployment = true }) },
    run = run,
    expect = { verdict = "superseded", exit_code = 24, truth = { ended = "superseded" } },
  },
  {
    name = "a service that is deleted meanwhile is a failure",
    world = { "service", blind, unseen, somebody("30s", "delete_service", { force = true }) },
    run = run,
    expect = { verdict = "failed", exit_code = 22, message = "deleted" },
  },
  {
    name = "what is still under way at the end is a timeout",
    world = { "service", { "behave", { image = "aistudio-dev:v1", start = "30m" } }, blind, unseen },
    run = { runbook = "deploy/restart", args = { cluster = args.cluster, service = args.service, wait = 90 } },
    expect = { verdict = "timed_out", exit_code = 40, truth = { ended = "still_running" } },
  },
  {
    name = "reads that lag behind the write are no end",
    world = { "service", blind, unseen, { "lag_reads", { service = "ecs", by = "12s" } } },
    run = run,
    expect = { verdict = "done", truth = { ended = "deployed" } },
  },
  {
    name = "throttling all along slows it down and no more",
    world = { "service", blind, unseen, { "throttle", { service = "ecs", percent = 30 } } },
    run = run,
    expect = { verdict = "done", truth = { ended = "deployed" } },
  },
  {
    name = "a history that can be listed and not described is done without",
    world = { "service", crashing, moved, unseen },
    run = run,
    expect = { verdict = "rolled_back", exit_code = 23, truth = { ended = "rolled_back" } },
  },
  {
    name = "a deployment that is never listed is a failure",
    world = {
      "service", blind, unseen,
      { "someone_calls", { service = "ecs", operation = "describe_services", keep = "before",
        input = { cluster = args.cluster, services = { args.service } } } },
      { "change_answers", { service = "ecs", operation = "describe_services", at = "services.1.deployments",
        is = "${before.services.1.deployments}" } },
    },
    run = run,
    expect = { verdict = "failed", exit_code = 22, message = "has not listed it", lines = { "not listed yet" }, takes = 60 },
  },
  {
    name = "a deployment that ECS calls complete with too few tasks is not done",
    world = {
      "service", blind, unseen,
      { "change_answers", { service = "ecs", operation = "describe_services", at = "services.1.deployments.1.running_count",
        is = 0 } },
    },
    run = { runbook = "deploy/restart", args = { cluster = args.cluster, service = args.service, wait = 300 } },
    expect = { verdict = "timed_out", exit_code = 40, truth = { ended = "deployed" }, lines = { "0 of 1 running" } },
  },
}
