-- validate/service: every one of its checks can fail alone, and one that cannot be made says so.

local dev = { runbook = "validate/service", environment = "dev", settings = "moonbook.lua" }
local given = { cluster = "aistudio-dev", service = "aistudio-dev" }
local by_arguments = { runbook = "validate/service", args = given }
local two = { "service", { app = "aistudio", env = "dev", desired = 2, image = "aistudio-dev:v1" } }

-- A member of an answer as AWS gives it this time.
local function answer(service, operation, at, is, count)
  return { "change_answers", { service = service, operation = operation, at = at, is = is, count = count } }
end

local function seen(at, is)
  return answer("ecs", "describe_services", "services.1." .. at, is)
end

local function checks(counts, rollout, running, balanced, answers)
  return {
    ["service exists"] = "pass",
    ["service is active"] = "pass",
    ["desired tasks run"] = counts,
    ["no deployment is failing"] = rollout,
    ["tasks are healthy"] = running,
    ["targets are healthy"] = balanced,
    ["application answers"] = answers,
  }
end

local all_pass = checks("pass", "pass", "pass", "pass", "pass")

-- One check fails, and no other.
local function fails(made, ...)
  return { verdict = "check_failed", exit_code = 10, message = "1 of 7 checks failed", checks = made, lines = { ... } }
end

return {
  {
    name = "all is well, by the names of an environment",
    world = { two },
    run = dev,
    expect = { verdict = "done", exit_code = 0, message = "aistudio-dev: every check made passed.", checks = all_pass },
  },
  {
    name = "running below desired fails",
    world = { two, seen("running_count", 1) },
    run = dev,
    expect = fails(checks("fail", "pass", "pass", "pass", "pass"), "1 of 2 running"),
  },
  {
    name = "a failed deployment fails, and one in progress is told of",
    world = { two, seen("deployments", {
      { id = "ecs-svc/1", status = "PRIMARY", rollout_state = "IN_PROGRESS", running_count = 2, desired_count = 2 },
      { id = "ecs-svc/2", status = "ACTIVE", rollout_state = "FAILED", rollout_state_reason = "breaker" },
    }) },
    run = dev,
    expect = fails(checks("pass", "fail", "pass", "pass", "pass"), "ecs-svc/2: breaker", "deployment ecs-svc/1 is in progress"),
  },
  {
    name = "an unhealthy task fails",
    world = { two, answer("ecs", "describe_tasks", "tasks.2.health_status", "UNHEALTHY") },
    run = dev,
    expect = fails(checks("pass", "pass", "fail", "pass", "pass"), "is UNHEALTHY"),
  },
  {
    name = "a task that does not run yet fails",
    world = { two, answer("ecs", "describe_tasks", "tasks.2.last_status", "PENDING") },
    run = dev,
    expect = fails(checks("pass", "pass", "fail", "pass", "pass"), "is PENDING"),
  },
  {
    name = "no tasks fails",
    world = { two, answer("ecs", "list_tasks", "task_arns", {}) },
    run = dev,
    expect = fails(checks("pass", "pass", "fail", "pass", "pass"), "there is no task"),
  },
  {
    name = "an unhealthy target fails",
    world = { two, answer("elbv2", "describe_target_health", "target_health_descriptions.2.target_health", {
      state = "unhealthy", description = "Health checks failed",
    }) },
    run = dev,
    expect = fails(checks("pass", "pass", "pass", "fail", "pass"), "1 of 2 healthy", "is unhealthy (Health checks failed)"),
  },
  {
    name = "targets that are being taken out are no fault", -- for minutes after a good deployment they are listed
    world = { two, answer("elbv2", "describe_target_health", "target_health_descriptions.3", {
      target = { id = "10.0.0.3", port = 3000 }, target_health = { state = "draining" },
    }) },
    run = dev,
    expect = { verdict = "done", checks = all_pass, lines = { "2 of 2 healthy, 1 draining" } },
  },
  {
    name = "fewer targets than tasks fails",
    world = { two, answer("elbv2", "describe_target_health", "target_health_descriptions.2.target_health.state", "draining") },
    run = dev,
    expect = fails(checks("pass", "pass", "pass", "fail", "pass"), "1 of 1 healthy, 1 draining; 2 are needed"),
  },
  {
    name = "a group and its alternate count together", -- blue/green leaves the tasks in the one or in the other
    world = { { "service", { app = "aistudio", env = "dev", strategy = "BLUE_GREEN", image = "aistudio-dev:v1" } } },
    run = by_arguments,
    expect = { verdict = "done", checks = { ["targets are healthy"] = "pass" }, lines = { " and " },
      calls = { ["elbv2.describe_target_health"] = 2 } },
  },
  {
    name = "a health page that answers 500 fails",
    world = { two, { "behave", { image = "aistudio-dev:v1", paths = { ["/api/healthz"] = 500 } } } },
    run = dev,
    expect = fails(checks("pass", "pass", "pass", "pass", "fail"), "/api/healthz answered 500"),
  },
  {
    name = "a health page without status ok fails, when that is asked for",
    world = { two },
    run = { runbook = "validate/service", environment = "dev", settings = "moonbook.lua", args = { health_path = "/" } },
    expect = fails(checks("pass", "pass", "pass", "pass", "fail"), 'but not {"status":"ok"}'),
  },
  {
    name = "a health page that cannot be reached fails",
    world = { two, { "reset_calls", { service = "http" } } },
    run = dev,
    expect = fails(checks("pass", "pass", "pass", "pass", "fail"), "the connection was reset"),
  },
  {
    name = "a given URL is asked and allowed", -- the world's answer, to a host that it does not have
    world = { two },
    run = { runbook = "validate/service", args = {
      cluster = given.cluster, service = given.service, health_url = "http://status.example.com:8080/up",
    } },
    expect = fails(checks("pass", "pass", "pass", "pass", "fail"), "http://status.example.com:8080/up answered 404"),
  },
  {
    name = "no load balancer is said and not counted",
    world = { { "service", { app = "aistudio", env = "dev", load_balancer = false } } },
    run = by_arguments,
    expect = {
      verdict = "done",
      message = "not checked: targets are healthy (the service has no load balancer), application answers (neither",
      checks = { ["targets are healthy"] = "not made", ["application answers"] = "not made", ["tasks are healthy"] = "pass" },
      lines = { "not checked: targets are healthy" },
    },
  },
  {
    name = "a missing parameter is said and not counted",
    world = { two, { "someone_calls", { service = "ssm", operation = "delete_parameter",
      input = { name = "/aistudio/dev/alb-dns-name" } } } },
    run = dev,
    expect = { verdict = "done", message = "there is no SSM parameter /aistudio/dev/alb-dns-name" },
  },
  {
    name = "a parameter that points elsewhere is not followed",
    world = { two, { "parameter", { name = "/aistudio/dev/alb-dns-name", value = "evil.example.com" } } },
    run = dev,
    expect = fails(checks("pass", "pass", "pass", "pass", "fail"), "evil.example.com"),
  },
  {
    name = "a service that does not exist fails",
    world = { two },
    run = { runbook = "validate/service", args = { cluster = "aistudio-dev", service = "nothing" } },
    expect = {
      verdict = "check_failed", message = "1 of 1 checks failed: service exists",
      lines = { "There is no service nothing in cluster aistudio-dev" },
    },
  },
  {
    name = "an inactive service fails",
    world = { two, seen("status", "INACTIVE") },
    run = by_arguments,
    expect = { verdict = "check_failed", lines = { "status is INACTIVE" }, checks = { ["service is active"] = "fail" } },
  },
  {
    name = "access denied is not a failed check",
    world = { two, { "deny_calls", { action = "ecs:ListTasks" } } },
    run = dev,
    expect = { verdict = "denied", exit_code = 5 },
  },
  {
    name = "throttled twice and then fine",
    world = { two, { "throttle", { service = "ecs", operation = "describe_services", count = 2 } } },
    run = dev,
    expect = { verdict = "done", checks = all_pass, calls = { ["ecs.describe_services"] = 3 } },
  },
  {
    name = "a task that ends between the list and its description is not an error",
    world = { two, answer("ecs", "list_tasks", "task_arns.3",
      "arn:aws:ecs:eu-west-1:123456789012:task/aistudio-dev/0123456789abcdef0123456789abcdef", 1) },
    run = dev,
    expect = { verdict = "done", checks = all_pass, calls = { ["ecs.list_tasks"] = 2 } },
  },
}
