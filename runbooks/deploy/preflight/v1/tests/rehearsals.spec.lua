-- deploy/preflight on simulated worlds: one for everything in a world that would make a deployment fail.

local CLUSTER, SERVICE = "aistudio-dev", "aistudio-dev"
local REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"
local ROLE = "arn:aws:iam::123456789012:role/aistudio-dev-"

-- What no run may do, whatever it finds.
local reads_only = {
  ["secretsmanager.get_secret_value"] = 0,
  ["secretsmanager.batch_get_secret_value"] = 0,
  ["ssm.get_parameter"] = 0,
  ["ssm.get_parameters"] = 0,
  ["ssm.get_parameters_by_path"] = 0,
  ["ssm.get_parameter_history"] = 0,
}

local function run(args)
  args = args or {}
  args.cluster, args.service = CLUSTER, SERVICE
  return { runbook = "deploy/preflight", args = args }
end

local function call(service, operation, input, keep)
  return { "someone_calls", { service = service, operation = operation, input = input, keep = keep } }
end

local function update(input)
  input.cluster, input.service = CLUSTER, SERVICE
  return call("ecs", "update_service", input)
end

local described = call("ecs", "describe_services", { cluster = CLUSTER, services = { SERVICE } }, "found")
local SUBNETS = "${found.services.1.network_configuration.awsvpc_configuration.subnets}"
local GROUPS = "${found.services.1.network_configuration.awsvpc_configuration.security_groups}"

-- Somebody has registered a revision that is to be deployed: as Fargate takes it, with this container.
local function registered(container)
  container.name = container.name or "aistudio"
  container.image = REGISTRY .. "aistudio-dev:v1"
  container.port_mappings = container.port_mappings or { { container_port = 3000, protocol = "tcp" } }
  return call("ecs", "register_task_definition", {
    family = "aistudio-dev", network_mode = "awsvpc", requires_compatibilities = { "FARGATE" }, cpu = "512",
    memory = "1024", execution_role_arn = ROLE .. "execution", task_role_arn = ROLE .. "task",
    runtime_platform = { cpu_architecture = "X86_64", operating_system_family = "LINUX" },
    container_definitions = { container },
  })
end

-- A spec in which one check fails, and no other.
local function fails(name, check, world, args)
  return {
    name = name,
    world = world,
    run = run(args),
    expect = {
      verdict = "check_failed", exit_code = 10, writes = {}, calls = reads_only,
      message = "checks failed: " .. check .. ".", checks = { [check] = "fail" },
    },
  }
end

-- A spec in which nothing fails, and the verdict's sentence tells of something.
local function tells(name, message, world, args)
  return {
    name = name,
    world = world,
    run = run(args),
    expect = { verdict = "done", exit_code = 0, writes = {}, calls = reads_only, message = message },
  }
end

local function with_service(fields)
  fields.app, fields.env = "aistudio", "dev"
  return { "service", fields }
end

return {
  {
    name = "a healthy service passes every check, with few calls, no value read and nothing written",
    world = "service",
    run = run(),
    expect = {
      verdict = "done", exit_code = 0, at_most = 25, writes = {}, calls = reads_only,
      message = "to aistudio-dev fail.",
      checks = {
        ["service is active"] = "pass", ["percentages let it move"] = "pass", ["images exist"] = "pass",
        ["images fit the processor"] = "pass", ["execution role exists"] = "pass",
        ["execution role trusts ECS tasks"] = "pass", ["execution role may do its work"] = "pass",
        ["task role exists"] = "pass", ["caller may deploy"] = "pass", ["secrets exist"] = "pass",
        ["secrets have a value"] = "pass", ["log groups exist"] = "pass", ["subnets exist"] = "pass",
        ["subnets have free addresses"] = "pass", ["security groups exist"] = "pass",
        ["tasks reach what they start with"] = "pass", ["the load balancer's ports are mapped"] = "pass",
        ["target groups exist"] = "pass", ["target groups take addresses"] = "pass",
        ["the load balancer reaches the tasks"] = "pass", ["grace period"] = "pass",
      },
    },
  },

  -- ---- the service ----
  fails("a service that is being deleted is not active", "service is active", {
    "service", call("ecs", "delete_service", { cluster = CLUSTER, service = SERVICE, force = true }),
  }),
  {
    name = "an unknown service is refused",
    world = "empty",
    run = run(),
    expect = { verdict = "refused_by_plan", exit_code = 30, message = "no cluster" },
  },
  tells("a deployment under way is a warning", "1 warning: deployment under way", "slow_start"),
  tells("a service scaled to zero is a warning", "1 warning: desired count", {
    "service", update { desired_count = 0 }, { "advance", { time = "10m" } },
  }),
  tells("without a circuit breaker a deployment may never end", "2 warnings: circuit breaker, rollback", {
    with_service { circuit_breaker = false },
  }),
  tells("a breaker that does not roll back is a warning", "1 warning: rollback", {
    with_service { circuit_breaker = { enable = true, rollback = false } },
  }),
  fails("50 to 100 percent of one task cannot move", "percentages let it move", {
    with_service { minimum_healthy_percent = 50, maximum_percent = 100 },
  }),
  tells("50 to 100 percent of two tasks moves", "to aistudio-dev fail.", {
    with_service { desired = 2, minimum_healthy_percent = 50, maximum_percent = 100 },
  }),
  tells("0 to 100 percent moves, with an outage", "1 warning: service during the rollout", {
    with_service { minimum_healthy_percent = 0, maximum_percent = 100 },
  }),
  tells("tasks that were not placed of late are a warning", "placing of tasks", "no_capacity"),

  fails("a Fargate quota that is used up is found", "room for the tasks", {
    "service", { "fault", { kind = "quota", key = "fargate", value = 0.75 } },
  }),
  tells("a Fargate quota that has room for some tasks only is a warning", "1 warning: room for all tasks at once", {
    with_service { desired = 4 }, { "advance", { time = "5m" } },
    { "fault", { kind = "quota", key = "fargate", value = 3 } },
  }),
  tells("a quota that may not be read is not checked", "1 not checked: room for the tasks", {
    "service", { "deny_calls", { action = "cloudwatch:GetMetricData" } },
  }),

  -- ---- the task definition ----
  fails("a revision that was deregistered cannot be deployed", "task definition is active", {
    "service", call("ecs", "deregister_task_definition", { task_definition = "aistudio-dev:1" }),
  }),
  tells("an image makes a new revision, though the present one was deregistered", "aistudio-dev:1 with v1", {
    "service", call("ecs", "deregister_task_definition", { task_definition = "aistudio-dev:1" }),
  }, { image = "v1" }),
  {
    name = "an unknown revision is refused",
    world = "service",
    run = run { task_definition = "aistudio-dev:9" },
    expect = { verdict = "refused_by_plan", message = "no task definition aistudio-dev:9" },
  },
  {
    name = "a revision in another network mode fits neither Fargate nor the service's subnets",
    world = { "service", call("ecs", "register_task_definition", {
      family = "aistudio-dev", network_mode = "bridge",
      execution_role_arn = ROLE .. "execution", container_definitions = { {
        name = "aistudio", image = REGISTRY .. "aistudio-dev:v1", memory = 512,
        port_mappings = { { container_port = 3000 } },
      } },
    }) },
    run = run { task_definition = "aistudio-dev" },
    expect = { verdict = "check_failed", checks = { ["task definition fits the service"] = "fail" } },
  },
  fails("containers that reserve more than the task has do not fit", "containers fit together", {
    "service", registered { memory = 4096 },
  }, { task_definition = "aistudio-dev" }),
  tells("a health check that takes longer than its interval is a warning", "1 warning: container health checks", {
    "service", registered { health_check = { command = { "CMD-SHELL", "true" }, interval = 5, timeout = 30 } },
  }, { task_definition = "aistudio-dev" }),

  -- ---- images ----
  fails("an image that nobody pushed is found before the rollout", "images exist", "service", { image = "v9" }),
  fails("an image that lifecycle has deleted is found", "images exist", {
    "service", { "delete_image", { image = "aistudio-dev:v1" } },
  }),
  fails("a repository that is not there is found", "images exist", "service", { image = "nowhere:v1" }),
  fails("an image for another processor is found by its configuration", "images fit the processor", {
    "service", { "image", { name = "aistudio-dev:v2", architecture = "arm64" } },
  }, { image = "v2" }),
  fails("an image for other processors is found by its index", "images fit the processor", {
    "service", { "image", { name = "aistudio-dev:v2", platforms = { "linux/arm64", "linux/s390x" } } },
  }, { image = "aistudio-dev:v2" }),
  tells("an image for several processors fits one of them", "aistudio-dev:1 with v2", {
    "service", { "image", { name = "aistudio-dev:v2", platforms = { "linux/amd64", "linux/arm64" } } },
  }, { image = "v2" }),
  tells("a tag that moves by its name is a warning", "1 warning: image tags", "service", { image = "latest" }),
  tells("images of other registries are not checked", "not checked: images exist", "service", {
    image = "docker.io/library/nginx:1.27",
  }),
  {
    name = "an image for a container that is not there is refused",
    world = "service",
    run = run { image = "v1", container = "web" },
    expect = { verdict = "refused_by_plan", message = "no container web; it has aistudio" },
  },
  tells("what the registry may not be asked is not checked", "images exist, images fit the processor", {
    "service", { "deny_calls", { service = "ecr", operation = "batch_get_image" } },
  }),

  -- ---- roles ----
  fails("a task role that is gone is found", "task role exists", {
    "service", call("iam", "delete_role", { role_name = "aistudio-dev-task" }),
  }),
  fails("an execution role that is gone is found", "execution role exists", {
    "service",
    call("iam", "detach_role_policy", {
      role_name = "aistudio-dev-execution",
      policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
    }),
    call("iam", "delete_role", { role_name = "aistudio-dev-execution" }),
  }),
  fails("a role that trusts another service is found", "execution role trusts ECS tasks", {
    "service",
    call("iam", "update_assume_role_policy", {
      role_name = "aistudio-dev-execution",
      policy_document = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":'
        .. '"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}',
    }),
  }),
  fails("a task role that trusts nobody is found", "task role trusts ECS tasks", {
    "service",
    call("iam", "update_assume_role_policy", {
      role_name = "aistudio-dev-task", policy_document = '{"Version":"2012-10-17","Statement":[]}',
    }),
  }),
  fails("an execution role that may not read its secret is found", "execution role may do its work", {
    "service", { "deny", { action = "aistudio-dev-execution secretsmanager:GetSecretValue" } },
  }),
  fails("an execution role that may not pull is found", "execution role may do its work", {
    "service", { "deny", { action = "aistudio-dev-execution ecr:BatchGetImage" } },
  }),
  tells("roles that may not be read are not checked, and not passed", "execution role exists", {
    "service", { "deny_calls", { action = "iam:GetRole" } },
  }),
  tells("rights that may not be simulated are not checked", "execution role may do its work, caller may deploy", {
    "service", { "deny_calls", { action = "iam:SimulatePrincipalPolicy" } },
  }),
  fails("a caller who may not update the service is told before", "caller may deploy", {
    "service", { "deny_calls", { action = "ecs:UpdateService" } },
  }),
  fails("a caller who may not pass the roles is told before", "caller may deploy", {
    "service", { "deny_calls", { action = "iam:PassRole" } },
  }, { image = "v1" }),

  -- ---- secrets ----
  fails("a secret on its way out is found", "secrets exist", {
    "service", call("secretsmanager", "delete_secret", { secret_id = "aistudio/dev/database" }),
  }),
  fails("a secret that is gone is found", "secrets exist", {
    "service",
    call("secretsmanager", "delete_secret", {
      secret_id = "aistudio/dev/database", force_delete_without_recovery = true,
    }),
    { "advance", { time = "1m" } },
  }),
  fails("a secret without a current version is found", "secrets have a value", {
    "service", { "secret", { name = "aistudio/dev/database", no_version = true } },
  }),
  fails("a parameter that is not there is found", "parameters exist", {
    "service", registered { secrets = { { name = "TOKEN", value_from = "/aistudio/dev/token" } } },
  }, { task_definition = "aistudio-dev" }),
  tells("a parameter is found by its ARN", "to aistudio-dev fail.", {
    "service",
    { "parameter", { name = "/aistudio/dev/token", value = "x", type = "SecureString" } },
    registered { secrets = { {
      name = "TOKEN", value_from = "arn:aws:ssm:eu-west-1:123456789012:parameter/aistudio/dev/token",
    } } },
  }, { task_definition = "aistudio-dev" }),
  tells("a key inside a secret is not looked at", "keys in secrets", {
    "service",
    registered { secrets = { {
      name = "PASSWORD",
      value_from = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:aistudio/dev/database:password::",
    } } },
  }, { task_definition = "aistudio-dev" }),
  fails("a version stage that no version has is found", "secrets have a value", {
    "service",
    registered { secrets = { {
      name = "PASSWORD",
      value_from = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:aistudio/dev/database::AWSPREVIOUS:",
    } } },
  }, { task_definition = "aistudio-dev" }),
  fails("credentials of a registry are looked for as secrets are", "secrets exist", {
    "service",
    registered { repository_credentials = {
      credentials_parameter = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:registry-login",
    } },
  }, { task_definition = "aistudio-dev" }),
  tells("secrets that may not be described are not checked", "secrets exist, secrets have a value", {
    "service", { "deny_calls", { action = "secretsmanager:DescribeSecret" } },
  }),

  -- ---- logs ----
  fails("a log group that is gone is found", "log groups exist", {
    "service", call("logs", "delete_log_group", { log_group_name = "/ecs/aistudio-dev" }),
  }),
  fails("a log group whose name only begins alike is another one", "log groups exist", {
    "service",
    registered { log_configuration = { log_driver = "awslogs", options = {
      ["awslogs-group"] = "/ecs/aistudio", ["awslogs-region"] = "eu-west-1", ["awslogs-stream-prefix"] = "ecs",
    } } },
  }, { task_definition = "aistudio-dev" }),
  tells("a log group that the driver makes need not be there", "to aistudio-dev fail.", {
    "service",
    registered { log_configuration = { log_driver = "awslogs", options = {
      ["awslogs-group"] = "/ecs/new", ["awslogs-region"] = "eu-west-1", ["awslogs-stream-prefix"] = "ecs",
      ["awslogs-create-group"] = "true",
    } } },
  }, { task_definition = "aistudio-dev" }),

  -- ---- network ----
  {
    name = "a security group that is gone is found",
    world = {
      "service", described, update { desired_count = 0 }, { "advance", { time = "15m" } },
      call("ec2", "delete_security_group", {
        group_id = "${found.services.1.network_configuration.awsvpc_configuration.security_groups.1}",
      }),
    },
    run = run(),
    expect = { verdict = "check_failed", checks = { ["security groups exist"] = "fail" } },
  },
  fails("without a public address an internet gateway is no way out", "tasks reach what they start with", {
    "service", described,
    update { network_configuration = { awsvpc_configuration = {
      subnets = SUBNETS, security_groups = GROUPS, assign_public_ip = "DISABLED",
    } } },
  }),
  fails("tasks that let the load balancer in nowhere are found", "the load balancer reaches the tasks", {
    "service",
    call("ec2", "describe_security_groups", { group_names = { "aistudio-dev-service" } }, "groups"),
    call("ec2", "revoke_security_group_ingress", {
      group_id = "${groups.security_groups.1.group_id}", ip_permissions = "${groups.security_groups.1.ip_permissions}",
    }),
  }),
  fails("tasks that let the load balancer in at another port are found", "the load balancer reaches the tasks", {
    "service", described,
    call("ec2", "describe_security_groups", { group_names = { "aistudio-dev-alb" } }, "front"),
    call("ec2", "create_security_group", { group_name = "other", description = "other" }, "other"),
    call("ec2", "authorize_security_group_ingress", { group_id = "${other.group_id}", ip_permissions = { {
      ip_protocol = "tcp", from_port = 8080, to_port = 8081,
      user_id_group_pairs = { { group_id = "${front.security_groups.1.group_id}" } },
    } } }),
    update { network_configuration = { awsvpc_configuration = {
      subnets = SUBNETS, security_groups = { "${other.group_id}" }, assign_public_ip = "ENABLED",
    } } },
  }),
  tells("a port that is open to some addresses is not judged", "the load balancer reaches the tasks", {
    "service", described,
    call("ec2", "create_security_group", { group_name = "other", description = "other" }, "other"),
    call("ec2", "authorize_security_group_ingress", { group_id = "${other.group_id}", ip_permissions = { {
      ip_protocol = "tcp", from_port = 3000, to_port = 3000, ip_ranges = { { cidr_ip = "172.31.0.0/16" } },
    } } }),
    update { network_configuration = { awsvpc_configuration = {
      subnets = SUBNETS, security_groups = { "${other.group_id}" }, assign_public_ip = "ENABLED",
    } } },
  }),

  -- ---- the load balancer ----
  fails("a port that the container no longer maps is found", "the load balancer's ports are mapped", {
    "service", registered { port_mappings = { { container_port = 8080 } } },
  }, { task_definition = "aistudio-dev" }),
  fails("a container that has another name is found", "the load balancer's ports are mapped", {
    "service", registered { name = "web" },
  }, { task_definition = "aistudio-dev" }),
  fails("a target group that no listener forwards to is found", "target groups are attached", {
    "service",
    call("elbv2", "describe_load_balancers", { names = { "aistudio-dev" } }, "front"),
    call("elbv2", "describe_listeners", {
      load_balancer_arn = "${front.load_balancers.1.load_balancer_arn}",
    }, "listeners"),
    call("elbv2", "delete_listener", { listener_arn = "${listeners.listeners.1.listener_arn}" }),
  }),
  fails("a target group that is gone is found", "target groups exist", {
    "service", described,
    call("elbv2", "describe_load_balancers", { names = { "aistudio-dev" } }, "front"),
    call("elbv2", "delete_load_balancer", { load_balancer_arn = "${front.load_balancers.1.load_balancer_arn}" }),
    call("elbv2", "delete_target_group", {
      target_group_arn = "${found.services.1.load_balancers.1.target_group_arn}",
    }),
  }),
  fails("a target group for instances does not take tasks of their own address", "target groups take addresses", {
    "service",
    call("elbv2", "describe_load_balancers", { names = { "aistudio-dev" } }, "front"),
    call("elbv2", "create_target_group", {
      name = "instances", protocol = "HTTP", port = 3000, target_type = "instance",
      vpc_id = "${front.load_balancers.1.vpc_id}",
    }, "made"),
    call("elbv2", "create_listener", {
      load_balancer_arn = "${front.load_balancers.1.load_balancer_arn}", protocol = "HTTP", port = 81,
      default_actions = { { type = "forward", target_group_arn = "${made.target_groups.1.target_group_arn}" } },
    }),
    update { load_balancers = { {
      target_group_arn = "${made.target_groups.1.target_group_arn}", container_name = "aistudio",
      container_port = 3000,
    } } },
  }),
  tells("a health check at a port that nobody maps is a warning", "1 warning: target health checks", {
    "service", described,
    call("elbv2", "modify_target_group", {
      target_group_arn = "${found.services.1.load_balancers.1.target_group_arn}", health_check_port = "9090",
    }),
  }),
  fails("a load balancer that is not up yet is found", "the load balancer is active", {
    with_service { wait = false },
  }),
  tells("no grace period is a warning", "1 warning: grace period", { with_service { grace = 0 } }),
  tells("a service without a load balancer has none to check", "to aistudio-dev fail.", {
    with_service { load_balancer = false },
  }),
  tells("a load balancer that may not be described is not checked", "the load balancer is active", {
    "service", { "deny_calls", { action = "elasticloadbalancing:DescribeLoadBalancers" } },
  }),

  -- ---- alarms ----
  fails("an alarm that fires already would not be watched", "deployment alarms are quiet", {
    with_service { alarms = true, deployment_alarms = { "aistudio-dev-high-cpu" } },
    { "force_alarm", { name = "aistudio-dev-high-cpu" } },
    { "advance", { time = "3m" } },
  }),
  fails("an alarm that is gone is found", "deployment alarms exist", {
    with_service { alarms = true, deployment_alarms = { "aistudio-dev-high-cpu" } },
    call("cloudwatch", "delete_alarms", { alarm_names = { "aistudio-dev-high-cpu" } }),
  }),
  {
    name = "alarms that are quiet pass",
    world = { with_service { alarms = true, deployment_alarms = { "aistudio-dev-high-cpu" } } },
    run = run(),
    expect = {
      verdict = "done", writes = {},
      checks = { ["deployment alarms exist"] = "pass", ["deployment alarms are quiet"] = "pass" },
    },
  },

  -- ---- services that ECS does not deploy ----
  {
    name = "a service with task sets of its own is refused by its controller's name",
    world = { { "service", { app = "aistudio", env = "dev", controller = "EXTERNAL" } } },
    run = run(),
    expect = { verdict = "refused_by_plan", exit_code = 30, message = "deployed by EXTERNAL" },
  },

  -- ---- trouble of the API ----
  {
    name = "a call that fails for another reason ends the run: it is not taken for unread",
    world = { "service", { "fail_calls", { service = "ec2", operation = "describe_subnets" } } },
    run = run(),
    expect = { verdict = "unavailable", exit_code = 75, writes = {} },
  },
}
