-- moonbook.explain besides the first-named cause: early verdicts, and what may not be read. faults.lua has the causes.

local args = { cluster = "aistudio-dev", service = "aistudio-dev" }

local function explained(name, world, message)
  return {
    name = name,
    world = world,
    run = { runbook = "causes/explain", args = args },
    expect = { message = message },
  }
end

return {
  explained("an image that does not exist is hopeless while the rollout goes on", "bad_image",
    "first: image_not_found; then: none; hopeless: image_not_found"),
  explained("a denied secret is hopeless while the rollout goes on", {
    "service",
    { "secret", { name = "aistudio/dev/database", denied = true } },
    { "image", { name = "aistudio-dev:v2" } },
    { "deploy", { service = "aistudio-dev", image = "aistudio-dev:v2" } },
    { "advance", { time = "2m" } },
  }, "hopeless: secret_denied"),
  explained("a missing log group is hopeless while the rollout goes on", {
    "service",
    { "no_log_group", { name = "/ecs/aistudio-dev" } },
    { "image", { name = "aistudio-dev:v2" } },
    { "deploy", { service = "aistudio-dev", image = "aistudio-dev:v2" } },
    { "advance", { time = "2m" } },
  }, "hopeless: log_group_missing"),
  explained("a crash is not hopeless: the next start may go well", "crash_loop", "hopeless: no"),
  explained("a slow start is not hopeless", "slow_start", "hopeless: no"),
  explained("no capacity is not hopeless", "no_capacity", "hopeless: no"),
  explained("a healthy service has no cause", "service", "first: none; then: none; hopeless: no; unread: 0"),
  explained("a deployment is not hopeless that has a task which ran", {
    "service",
    { "image", { name = "aistudio-dev:v2" } },
    { "deploy", { service = "aistudio-dev", image = "aistudio-dev:v2", wait = true } },
    { "delete_image", { image = "aistudio-dev:v2" } },
    { "stop_tasks", { service = "aistudio-dev" } },
    { "advance", { time = "4m" } },
  }, "hopeless: no"),
  explained("a log that may not be read is said to be unread, and the cause stands", {
    "crash_loop", { "deny_calls", { action = "logs:GetLogEvents" } },
  }, "first: app_crashed; then: none; hopeless: no; unread: 1"),
  explained("target health that may not be read is said to be unread; the events have the reason", {
    "unhealthy_path", { "deny_calls", { action = "elasticloadbalancing:DescribeTargetHealth" } },
  }, "first: health_path_wrong; then: none; hopeless: no; unread: 1"),
  {
    name = "a service that cannot be described is an error, never a guess",
    world = { "crash_loop", { "deny_calls", { action = "ecs:DescribeServices" } } },
    run = { runbook = "causes/explain", args = args },
    expect = { verdict = "denied" },
  },
  {
    name = "a service that does not exist is an error that says so",
    world = "service",
    run = { runbook = "causes/explain", args = { cluster = "aistudio-dev", service = "other" } },
    expect = { verdict = "script_error", message = "There is no service other" },
  },
  {
    name = "a deployment without a name is refused, not guessed at",
    world = "crash_loop",
    run = { runbook = "causes/explain", args = { cluster = "aistudio-dev", service = "aistudio-dev", failed = true } },
    expect = { verdict = "script_error", message = "none of id, arn and created_at is given" },
  },
  {
    name = "nothing but reads",
    world = "crash_loop",
    run = { runbook = "causes/explain", args = args },
    expect = { at_most = 20, message = "configuration_missing" },
  },
}
