-- validate/service: every one of its checks can fail alone, and one that cannot be made says so.

local GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123456789abcdef"
local GREEN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web-green/0123456789abcdef"
local TASK = "arn:aws:ecs:eu-west-1:123456789012:task/shop/"
local DNS = "web-1.eu-west-1.elb.amazonaws.com"
local URL = "http://" .. DNS .. "/api/healthz"

local function service(desired, running, deployments, balancers, status)
  return {
    operation = "ecs.describe_services",
    input = { cluster = "shop-dev", services = { "shop-dev" } },
    output = {
      services = {
        {
          service_name = "shop-dev",
          status = status or "ACTIVE",
          desired_count = desired,
          running_count = running,
          pending_count = 0,
          deployments = deployments or {
            { id = "ecs-svc/1", status = "PRIMARY", rollout_state = "COMPLETED", running_count = running },
          },
          load_balancers = balancers or { { target_group_arn = GROUP, container_name = "web", container_port = 80 } },
        },
      },
    },
  }
end

local function list(first, second)
  return {
    operation = "ecs.list_tasks",
    input = { cluster = "shop-dev", service_name = "shop-dev" },
    output = { task_arns = { first and TASK .. first, second and TASK .. second } },
  }
end

local function task(name, status, health)
  return {
    task_arn = TASK .. name,
    last_status = status or "RUNNING",
    desired_status = "RUNNING",
    health_status = health or "UNKNOWN",
  }
end

local function tasks(first, second)
  return { operation = "ecs.describe_tasks", output = { tasks = { first, second } } }
end

local function target(id, state, description)
  return {
    target = { id = id, port = 80 },
    target_health = { state = state, description = description },
  }
end

local function targets(first, second, third)
  return {
    operation = "elbv2.describe_target_health",
    input = { target_group_arn = GROUP },
    output = { target_health_descriptions = { first, second, third } },
  }
end

local parameter = {
  operation = "ssm.get_parameter",
  input = { name = "/shop/dev/alb-dns-name" },
  output = { parameter = { name = "/shop/dev/alb-dns-name", value = DNS } },
}

local function page(status, body)
  return { operation = "http.get", url = URL, status = status, body = body }
end

local good_service = service(2, 2)
local good_list = list("a", "b")
local good_tasks = tasks(task("a"), task("b", "RUNNING", "HEALTHY"))
local good_targets = targets(target("10.0.0.1", "healthy"), target("10.0.0.2", "healthy"))
local good_page = page(200, '{"status":"ok"}')

local SETTINGS = 'return { app = "shop", environments = { dev = {} } }'

local function checks(counts, rollout, running, balanced, answers)
  return {
    ["service exists"] = true,
    ["service is active"] = true,
    ["desired tasks run"] = counts,
    ["no deployment is failing"] = rollout,
    ["tasks are healthy"] = running,
    ["targets are healthy"] = balanced,
    ["application answers"] = answers,
  }
end

return {
  runbook = "validate/service",
  specs = {
    {
      name = "all_is_well",
      settings = SETTINGS,
      environment = "dev",
      answers = { good_service, good_list, good_tasks, good_targets, parameter, good_page },
      expect = {
        verdict = "done",
        exit_code = 0,
        message = "shop-dev: every check made passed.",
        checks = checks(true, true, true, true, true),
        result = { not_checked = {} },
        writes = {},
      },
    },
    {
      name = "running_below_desired_fails",
      settings = SETTINGS,
      environment = "dev",
      answers = {
        service(2, 1),
        list("a"),
        tasks(task("a")),
        good_targets,
        parameter,
        good_page,
      },
      expect = {
        verdict = "check_failed",
        exit_code = 10,
        message = "1 of 7 checks failed: desired tasks run",
        checks = checks(false, true, true, true, true),
        lines = { "1 of 2 running" },
      },
    },
    {
      name = "a_service_scaled_to_zero_fails",
      settings = SETTINGS,
      environment = "dev",
      answers = { service(0, 0), list(), targets(), parameter, page(503, "") },
      expect = {
        verdict = "check_failed",
        exit_code = 10,
        checks = checks(false, true, false, false, false),
        lines = { "scaled to zero", "there is no task", "0 of 0 healthy" },
      },
    },
    {
      name = "a_failed_deployment_fails",
      settings = SETTINGS,
      environment = "dev",
      answers = {
        service(2, 2, {
          { id = "ecs-svc/1", status = "PRIMARY", rollout_state = "IN_PROGRESS", running_count = 2, desired_count = 2 },
          { id = "ecs-svc/2", status = "ACTIVE", rollout_state = "FAILED", rollout_state_reason = "breaker" },
        }),
        good_list,
        good_tasks,
        good_targets,
        parameter,
        good_page,
      },
      expect = {
        verdict = "check_failed",
        exit_code = 10,
        checks = checks(true, false, true, true, true),
        lines = { "ecs-svc/2: breaker", "deployment ecs-svc/1 is in progress" },
      },
    },
    {
      name = "an_unhealthy_task_fails",
      settings = SETTINGS,
      environment = "dev",
      answers = {
        good_service,
        good_list,
        tasks(task("a"), task("b", "RUNNING", "UNHEALTHY")),
        good_targets,
        parameter,
        good_page,
      },
      expect = {
        verdict = "check_failed",
        exit_code = 10,
        checks = checks(true, true, false, true, true),
        lines = { "b is UNHEALTHY" },
      },
    },
    {
      name = "a_task_that_does_not_run_yet_fails",
      settings = SETTINGS,
      environment = "dev",
      answers = {
        good_service,
        good_list,
        tasks(task("a"), task("b", "PENDING")),
        good_targets,
        parameter,
        good_page,
      },
      expect = {
        verdict = "check_failed",
        exit_code = 10,
        checks = checks(true, true, false, true, true),
        lines = { "b is PENDING" },
      },
    },
    {
      name = "no_tasks_fails",
      settings = SETTINGS,
      environment = "dev",
      answers = { good_service, list(), good_targets, parameter, good_page },
      expect = {
        verdict = "check_failed",
        exit_code = 10,
        checks = checks(true, true, false, true, true),
        lines = { "there is no task" },
      },
    },
    {
      name = "an_unhealthy_target_fails",
      settings = SETTINGS,
      environment = "dev",
      answers = {
        good_service,
        good_list,
        good_tasks,
        targets(target("10.0.0.1", "healthy"), target("10.0.0.2", "unhealthy", "Health checks failed")),
        parameter,
        good_page,
      },
      expect = {
        verdict = "check_failed",
        exit_code = 10,
        checks = checks(true, true, true, false, true),
        lines = { "web: 1 of 2 healthy; 10.0.0.2 is unhealthy (Health checks failed)" },
      },
    },
    {
      -- For minutes after a good deployment the targets of the old tasks are still listed.
      name = "targets_that_are_being_taken_out_are_no_fault",
      settings = SETTINGS,
      environment = "dev",
      answers = {
        good_service,
        good_list,
        good_tasks,
        targets(
          target("10.0.0.1", "healthy"),
          target("10.0.0.2", "healthy"),
          target("10.0.0.3", "draining", "Target deregistration is in progress")
        ),
        parameter,
        good_page,
      },
      expect = { verdict = "done", exit_code = 0, lines = { "web: 2 of 2 healthy, 1 draining" } },
    },
    {
      name = "fewer_targets_than_tasks_fails",
      settings = SETTINGS,
      environment = "dev",
      answers = {
        good_service,
        good_list,
        good_tasks,
        targets(target("10.0.0.1", "healthy"), target("10.0.0.3", "draining")),
        parameter,
        good_page,
      },
      expect = {
        verdict = "check_failed",
        exit_code = 10,
        checks = checks(true, true, true, false, true),
        lines = { "web: 1 of 1 healthy, 1 draining; 2 are needed" },
      },
    },
    {
      -- A blue/green deployment leaves the tasks in the one group or in the other.
      name = "a_group_and_its_alternate_count_together",
      args = { cluster = "shop-dev", service = "shop-dev" },
      answers = {
        service(2, 2, nil, {
          {
            target_group_arn = GROUP,
            container_name = "web",
            container_port = 80,
            advanced_configuration = { alternate_target_group_arn = GREEN },
          },
        }),
        good_list,
        good_tasks,
        targets(),
        {
          operation = "elbv2.describe_target_health",
          input = { target_group_arn = GREEN },
          output = good_targets.output,
        },
      },
      expect = {
        verdict = "done",
        exit_code = 0,
        checks = {
          ["service exists"] = true,
          ["service is active"] = true,
          ["desired tasks run"] = true,
          ["no deployment is failing"] = true,
          ["tasks are healthy"] = true,
          ["targets are healthy"] = true,
        },
        lines = { "web and web-green: 2 of 2 healthy" },
      },
    },
    {
      name = "a_health_page_that_answers_500_fails",
      settings = SETTINGS,
      environment = "dev",
      answers = {
        good_service,
        good_list,
        good_tasks,
        good_targets,
        parameter,
        page(500, '{"status":"ok"}'),
      },
      expect = {
        verdict = "check_failed",
        exit_code = 10,
        checks = checks(true, true, true, true, false),
        lines = { "/api/healthz answered 500" },
      },
    },
    {
      name = "a_health_page_without_status_ok_fails",
      settings = SETTINGS,
      environment = "dev",
      answers = {
        good_service,
        good_list,
        good_tasks,
        good_targets,
        parameter,
        page(200, "<html>welcome</html>"),
      },
      expect = {
        verdict = "check_failed",
        exit_code = 10,
        checks = checks(true, true, true, true, false),
      },
    },
    {
      name = "a_health_page_that_cannot_be_reached_fails",
      settings = SETTINGS,
      environment = "dev",
      answers = {
        good_service,
        good_list,
        good_tasks,
        good_targets,
        parameter,
        { operation = "http.get", url = URL, network = "ConnectionRefused" },
      },
      expect = {
        verdict = "check_failed",
        exit_code = 10,
        checks = checks(true, true, true, true, false),
        lines = { "ConnectionRefused" },
      },
    },
    {
      name = "no_load_balancer_is_said_and_not_counted",
      args = { cluster = "shop-dev", service = "shop-dev" },
      answers = { service(2, 2, nil, {}), good_list, good_tasks },
      expect = {
        verdict = "done",
        exit_code = 0,
        message = "not checked: targets are healthy (the service has no load balancer), application "
          .. "answers (neither health_url nor alb_dns_parameter is given)",
        checks = {
          ["service exists"] = true,
          ["service is active"] = true,
          ["desired tasks run"] = true,
          ["no deployment is failing"] = true,
          ["tasks are healthy"] = true,
        },
        lines = { "not checked: targets are healthy" },
      },
    },
    {
      name = "a_missing_parameter_is_said_and_not_counted",
      settings = SETTINGS,
      environment = "dev",
      answers = {
        good_service,
        good_list,
        good_tasks,
        good_targets,
        { operation = "ssm.get_parameter", error = { code = "ParameterNotFound", message = "", status = 400 } },
      },
      expect = {
        verdict = "done",
        exit_code = 0,
        message = "application answers (there is no SSM parameter /shop/dev/alb-dns-name)",
      },
    },
    {
      name = "a_given_url_is_asked_and_allowed",
      args = { cluster = "shop-dev", service = "shop-dev", health_url = "http://status.example.com:8080/up" },
      answers = {
        good_service,
        good_list,
        good_tasks,
        good_targets,
        {
          operation = "http.get",
          url = "http://status.example.com:8080/up",
          status = 200,
          body = '{"status":"ok"}',
        },
      },
      expect = { verdict = "done", exit_code = 0, message = "every check made passed." },
    },
    {
      name = "a_parameter_that_points_elsewhere_is_not_followed",
      settings = SETTINGS,
      environment = "dev",
      answers = {
        good_service,
        good_list,
        good_tasks,
        good_targets,
        {
          operation = "ssm.get_parameter",
          output = { parameter = { name = "/shop/dev/alb-dns-name", value = "evil.example.com" } },
        },
      },
      expect = {
        verdict = "check_failed",
        exit_code = 10,
        checks = checks(true, true, true, true, false),
        lines = { "evil.example.com" },
      },
    },
    {
      name = "a_service_that_does_not_exist_fails",
      settings = SETTINGS,
      environment = "dev",
      answers = {
        {
          operation = "ecs.describe_services",
          output = { services = {}, failures = { { arn = "a", reason = "MISSING" } } },
        },
      },
      expect = {
        verdict = "check_failed",
        exit_code = 10,
        message = "1 of 1 checks failed: service exists",
        lines = { "There is no service shop-dev in cluster shop-dev" },
      },
    },
    {
      name = "an_inactive_service_fails",
      settings = SETTINGS,
      environment = "dev",
      answers = {
        service(0, 0, {}, {}, "INACTIVE"),
        list(),
        parameter,
        { operation = "http.get", url = URL, network = "ConnectionRefused" },
      },
      expect = { verdict = "check_failed", exit_code = 10, lines = { "status is INACTIVE" } },
    },
    {
      name = "access_denied_is_not_a_failed_check",
      settings = SETTINGS,
      environment = "dev",
      answers = {
        good_service,
        { operation = "ecs.list_tasks", error = { code = "AccessDeniedException", message = "no", status = 400 } },
        { operation = "elbv2.describe_target_health", optional = true, output = {} },
        { operation = "ssm.get_parameter", optional = true, output = parameter.output },
        { operation = "http.get", optional = true, status = 200, body = "" },
      },
      expect = { verdict = "denied", exit_code = 5 },
    },
    {
      name = "throttled_twice_then_fine",
      settings = SETTINGS,
      environment = "dev",
      answers = {
        { operation = "ecs.describe_services", error = { code = "ThrottlingException", message = "", status = 400 } },
        { operation = "ecs.describe_services", error = { code = "ThrottlingException", message = "", status = 400 } },
        good_service,
        good_list,
        good_tasks,
        good_targets,
        parameter,
        good_page,
      },
      expect = { verdict = "done", exit_code = 0 },
    },
    {
      name = "a_task_that_ends_between_list_and_description_is_not_an_error",
      settings = SETTINGS,
      environment = "dev",
      answers = {
        good_service,
        list("a", "gone"),
        {
          operation = "ecs.describe_tasks",
          output = { tasks = { task("a") }, failures = { { arn = TASK .. "gone", reason = "MISSING" } } },
        },
        list("a", "b"),
        good_tasks,
        good_targets,
        parameter,
        good_page,
      },
      expect = { verdict = "done", exit_code = 0 },
    },
  },
}
