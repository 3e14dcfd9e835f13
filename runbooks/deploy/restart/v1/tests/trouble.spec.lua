-- deploy/restart: what AWS, people and the network do to a run. Rehearsals of whole rollouts stand in
-- rehearsals.spec.lua, those without service deployments in without_history.spec.lua.

local args = { cluster = "aistudio-dev", service = "aistudio-dev" }
local service = { "service", { app = "aistudio", env = "dev", desired = 2, image = "aistudio-dev:v1" } }

local run = { runbook = "deploy/restart", args = args }

-- Somebody changes the service when the deployment has begun.
local function somebody(time, operation, input)
  input.cluster, input.service = "aistudio-dev", "aistudio-dev"
  return { "at", { time = time, command = "someone_calls", args = { service = "ecs", operation = operation, input = input } } }
end

-- A member of DescribeServices' first service as AWS gives it this time.
local function seen(at, is, after)
  return { "change_answers", {
    service = "ecs", operation = "describe_services", at = "services.1." .. at, is = is, after = after,
  } }
end

local before = { "someone_calls", {
  service = "ecs", operation = "describe_services", keep = "before",
  input = { cluster = "aistudio-dev", services = { "aistudio-dev" } },
} }

local steps = { "Start a new deployment", "Follow it to its end" }
local unwritten = { ["ecs.update_service"] = 0 }

return {
  {
    name = "a restart says what it does, what came of it and what was checked",
    world = { service },
    run = run,
    expect = {
      verdict = "done", exit_code = 0, message = "is complete, 2 of 2 tasks running", steps = steps,
      writes = { "ecs.update_service" }, lines = { "0 of 2 running", "2 of 2 running" },
      checks = {
        ["service is active"] = "pass", ["our deployment is the primary one"] = "pass", ["desired tasks run"] = "pass",
      },
    },
  },
  {
    name = "failure without a rollback is a failure",
    world = {
      { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", circuit_breaker = { rollback = false } } },
      { "behave", { image = "aistudio-dev:v1", crash = { exit = 1, after = "8s" } } },
    },
    run = run,
    expect = { verdict = "failed", exit_code = 22, message = "ECS did not roll it back", writes = { "ecs.update_service" } },
  },
  {
    name = "the deadline of the run is a timeout too",
    world = { service },
    run = { runbook = "deploy/restart", args = args, timeout = 40 },
    expect = { verdict = "timed_out", exit_code = 40, message = "ran out of time in apply", takes = 40, within = 45 },
  },
  {
    name = "a read that lags is neither done nor somebody else's",
    world = { service, { "lag_reads", { service = "ecs", by = "20s" } } },
    run = run,
    expect = { verdict = "done", exit_code = 0, takes = 30 },
  },
  {
    name = "tasks that are not there after the deployment fail the verification",
    world = { service, seen("running_count", 1) },
    run = run,
    expect = {
      verdict = "check_failed", exit_code = 10, message = "desired tasks run", lines = { "1 of 2 running" },
      checks = { ["our deployment is the primary one"] = "pass", ["desired tasks run"] = "fail" },
    },
  },
  {
    name = "another primary deployment after ours fails the verification",
    world = { service, seen("deployments.1.id", "ecs-svc/3333") },
    run = run,
    expect = { verdict = "check_failed", checks = { ["our deployment is the primary one"] = "fail" } },
  },
  {
    name = "scaled to zero meanwhile proves nothing",
    world = { service, somebody("30s", "update_service", { desired_count = 0 }) },
    run = run,
    expect = { verdict = "check_failed", exit_code = 10, message = "desired tasks run", lines = { "scaled to zero" } },
  },
  {
    name = "an answer without a new deployment is not success",
    world = {
      service, before,
      { "change_answers", { service = "ecs", operation = "update_service", at = "service", is = "${before.services.1}" } },
    },
    run = run,
    expect = { verdict = "failed", exit_code = 22, message = "started no new deployment", writes = { "ecs.update_service" } },
  },
  {
    name = "an answer without a service is not success",
    world = { service, { "change_answers", { service = "ecs", operation = "update_service", at = "service" } } },
    run = run,
    expect = { verdict = "failed", exit_code = 22, message = "started no new deployment" },
  },
  {
    name = "gone for one read is no end",
    world = {
      service,
      { "change_answers", { service = "ecs", operation = "describe_services", at = "services", is = {}, skip = 2, count = 1 } },
    },
    run = run,
    expect = { verdict = "done", exit_code = 0, lines = { "is not there" } },
  },
  {
    name = "losing sight of it for a while is no end",
    world = { service, { "reset_calls", { service = "ecs", after = "20s", lasting = "2m" } } },
    run = run,
    expect = { verdict = "done", lines = { "cannot be read just now" }, writes = { "ecs.update_service" } },
  },
  {
    name = "a write that does not get through is a failure",
    world = { service, { "reset_calls", { service = "ecs", operation = "update_service" } } },
    run = run,
    expect = { verdict = "failed", exit_code = 22, message = "Start a new deployment" },
  },
  {
    name = "a write whose answer is lost is found by what it did",
    world = { service, { "cut_answers", { service = "ecs", operation = "update_service" } } },
    run = run,
    expect = { verdict = "done", lines = { "it was done" } },
  },
  {
    name = "no network before the write is safe to try again",
    world = { service, { "reset_calls", { service = "ecs" } } },
    run = run,
    expect = { verdict = "unavailable", exit_code = 75, calls = unwritten },
  },
  {
    name = "reads that are denied are denied, and nothing is written",
    world = { service, { "deny_calls", { action = "ecs:DescribeServices" } } },
    run = run,
    expect = { verdict = "denied", exit_code = 5, calls = unwritten },
  },
  {
    name = "a cluster that does not exist is refused",
    world = { service },
    run = { runbook = "deploy/restart", args = { cluster = "nowhere", service = "aistudio-dev" } },
    expect = { verdict = "refused_by_plan", exit_code = 30, message = "There is no cluster nowhere" },
  },
  {
    name = "a service that is being deleted is refused",
    world = { service, seen("status", "DRAINING") },
    run = run,
    expect = { verdict = "refused_by_plan", message = "is DRAINING, not ACTIVE", calls = unwritten },
  },
  {
    name = "a service deleted meanwhile is a failure",
    world = { service, somebody("30s", "delete_service", { force = true }) },
    run = run,
    expect = { verdict = "failed", exit_code = 22, message = "somebody deleted it" },
  },
  {
    name = "a service of CodeDeploy is refused by name",
    world = { service, seen("deployment_controller", { type = "CODE_DEPLOY" }) },
    run = run,
    expect = { verdict = "refused_by_plan", message = "is deployed by CODE_DEPLOY", calls = unwritten },
  },
  {
    name = "a service that does not report its rollouts is refused",
    world = { service, seen("deployments.1.rollout_state") },
    run = run,
    expect = { verdict = "refused_by_plan", message = "does not report the state of its rollouts", calls = unwritten },
  },
  {
    name = "a service scaled to zero is refused",
    world = { service, seen("desired_count", 0) },
    run = run,
    expect = { verdict = "refused_by_plan", exit_code = 30, message = "scaled to zero", calls = unwritten },
  },
  {
    name = "nobody to ask is refused",
    world = { service },
    run = { runbook = "deploy/restart", args = args, answer = "nobody" },
    expect = { verdict = "refused_by_operator", exit_code = 32, message = "give --yes", calls = unwritten },
  },
  {
    name = "production asks for the name",
    world = { service },
    run = { runbook = "deploy/restart", environment = "prod", settings = "moonbook.lua", answer = false },
    expect = { verdict = "refused_by_operator", phrase = "aistudio-dev/aistudio-dev", calls = unwritten },
  },
  {
    name = "cancelled before the first write writes nothing",
    world = { service },
    run = { runbook = "deploy/restart", args = args, cancel_at_call = 1 },
    expect = { verdict = "cancelled", exit_code = 130, calls = unwritten },
  },
  {
    name = "cancelled after the write says what was done",
    world = { service },
    run = { runbook = "deploy/restart", args = args, cancel_at_call = 5 },
    expect = { verdict = "cancelled", exit_code = 130, message = 'step 1 "Start a new deployment" is done' },
  },
  {
    name = "an empty cluster is not the default cluster",
    world = { service },
    run = { runbook = "deploy/restart", args = { cluster = "", service = "aistudio-dev" } },
    expect = { verdict = "usage", exit_code = 2, message = "it is empty, and it is required" },
  },
  {
    name = "an unknown argument is a mistake of usage",
    world = { service },
    run = { runbook = "deploy/restart", args = { cluster = "aistudio-dev", servcie = "aistudio-dev" } },
    expect = { verdict = "usage", exit_code = 2, message = '"servcie"' },
  },
}
