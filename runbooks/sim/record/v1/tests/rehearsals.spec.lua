-- sim/record on simulated worlds. What the recording holds, and that it makes the same world again, is tested
-- through the command (tests/sim/record.py).

local run = { runbook = "sim/record", args = { cluster = "aistudio-dev", service = "aistudio-dev" } }

-- A member of the only container as ECS describes it.
local function container(member, is)
  return { "change_answers", { service = "ecs", operation = "describe_task_definition",
    at = "task_definition.container_definitions.1." .. member, is = is } }
end

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
    expect = {
      verdict = "denied", exit_code = 5, error = "AccessDeniedException",
      calls = { ["ecs.describe_services"] = 1, ["ecs.list_tasks"] = 0 },
    },
  },
  {
    name = "a service that is not there is refused",
    world = "service",
    run = { runbook = "sim/record", args = { cluster = "aistudio-dev", service = "gone" } },
    expect = { verdict = "refused_by_plan", message = "There is no service gone in cluster aistudio-dev." },
  },
  {
    name = "a service without balancer or tasks is recorded, with nothing secret of what is written openly into it",
    world = {
      { "service", { app = "aistudio", env = "dev", desired = 0, image = "aistudio-dev:v1" } },
      container("environment", { { name = "PLAIN", value = "open" } }),
      container("command", { "serve", "--password", "open-too", "--token=open-three", "--level", "debug" }),
      container("log_configuration", { log_driver = "splunk", options = { ["splunk-token"] = "open-four" } }),
    },
    run = run,
    expect = {
      verdict = "done", exit_code = 0, message = "aistudio-dev in cluster aistudio-dev is recorded",
      result = { world = {
        moonbook_world = 1, account = "123456789012", region = "eu-west-1", environment = "redacted",
        ecs = { task_definitions = { { task_definition = { container_definitions = { {
          environment = { { name = "PLAIN", value = "redacted" } },
          command = { "serve", "--password", "redacted", "--token=redacted", "--level", "debug" },
          log_configuration = { log_driver = "splunk", options = { ["splunk-token"] = "redacted" } },
        } } } } } },
      } },
    },
  },
  {
    name = "a service on instances is refused",
    world = { "service", { "change_answers", { service = "ecs", operation = "describe_services",
      at = "services.1.launch_type", is = "EC2" } } },
    run = run,
    expect = { verdict = "refused_by_plan", exit_code = 30, message = "the launch type EC2" },
  },
  {
    name = "a history that cannot be read in one call is refused",
    world = "service",
    run = { runbook = "sim/record", args = { cluster = "aistudio-dev", service = "aistudio-dev", history = 101 } },
    expect = { verdict = "refused_by_plan", exit_code = 30, message = "A history of 101 deployments", at_most = 0 },
  },
}
