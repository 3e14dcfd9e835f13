-- sim/record on simulated worlds. What the recording holds, and that it makes the same world again, is tested
-- through the command (tests/sim/record.py).

local run = { runbook = "sim/record", args = { cluster = "aistudio-dev", service = "aistudio-dev" } }

return {
  {
    name = "a service is recorded, and only read",
    world = "service",
    run = run,
    expect = {
      verdict = "done",
      message = "aistudio-dev in cluster aistudio-dev is recorded.",
      calls = {
        ["ecs.describe_services"] = 1,
        ["secretsmanager.get_secret_value"] = 0,
        ["ssm.get_parameter"] = 0,
        ["ssm.get_parameters"] = 0,
        ["ecs.update_service"] = 0,
      },
      at_most = 60,
    },
  },
  {
    name = "a service whose deployment goes wrong is recorded as it is",
    world = "crash_loop",
    run = run,
    expect = { verdict = "done" },
  },
  {
    name = "what is denied is left out, and counted",
    world = {
      "service",
      { "deny_calls", { action = "cloudwatch:DescribeAlarms" } },
      { "deny_calls", { action = "ecr:DescribeRepositories" } },
    },
    run = run,
    expect = { verdict = "done", message = "without 2 things that could not be read" },
  },
  {
    name = "an operation that is not there is left out as well",
    world = {
      "service",
      { "fail_calls", { service = "elbv2", operation = "describe_rules", code = "NotSimulated", status = 501 } },
    },
    run = run,
    expect = { verdict = "done", message = "without 1 things that could not be read" },
  },
  {
    name = "without the service there is nothing to record",
    world = { "service", { "deny_calls", { action = "ecs:DescribeServices" } } },
    run = run,
    expect = { verdict = "denied", calls = { ["ecs.describe_services"] = 1, ["ecs.list_tasks"] = 0 } },
  },
  {
    name = "a service that is not there is refused",
    world = "service",
    run = { runbook = "sim/record", args = { cluster = "aistudio-dev", service = "gone" } },
    expect = { verdict = "refused_by_plan", message = "There is no service gone in cluster aistudio-dev." },
  },
}
