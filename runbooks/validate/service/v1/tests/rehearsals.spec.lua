-- validate/service on simulated worlds.

local args = {
  cluster = "aistudio-dev",
  service = "aistudio-dev",
  alb_dns_parameter = "/aistudio/dev/alb-dns-name",
}
local run = { runbook = "validate/service", args = args }

return {
  {
    name = "a healthy service passes all four checks",
    world = "service",
    run = run,
    expect = {
      verdict = "done",
      checks = {
        ["desired tasks run"] = "pass",
        ["tasks are healthy"] = "pass",
        ["targets are healthy"] = "pass",
        ["application answers"] = "pass",
      },
    },
  },
  {
    name = "a health page that fails is found by its targets",
    world = { "service", { "behave", { image = "aistudio-dev:v1", status = 503 } }, { "advance", { time = "3m" } } },
    run = run,
    expect = { verdict = "check_failed", exit_code = 10, checks = { ["targets are healthy"] = "fail" } },
  },
  {
    name = "a deployment whose tasks crash fails it, though the old task serves",
    world = "crash_loop",
    run = run,
    expect = {
      verdict = "check_failed",
      exit_code = 10,
      checks = { ["desired tasks run"] = "pass", ["no deployment is failing"] = "fail" },
    },
  },
  {
    name = "a service scaled to zero fails",
    world = {
      "service",
      { "someone_calls", { service = "ecs", operation = "update_service", input = {
        cluster = "aistudio-dev", service = "aistudio-dev", desired_count = 0,
      } } },
      { "advance", { time = "10m" } },
    },
    run = run,
    expect = { verdict = "check_failed", checks = { ["desired tasks run"] = "fail" } },
  },
  {
    name = "reading is all it does",
    world = "service",
    run = run,
    expect = { verdict = "done", at_most = 10, calls = { ["ecs.update_service"] = 0 } },
  },
}
