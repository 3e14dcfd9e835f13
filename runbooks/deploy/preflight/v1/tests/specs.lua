-- deploy/preflight where a simulated world cannot be made so: answers of AWS, one by one. The service
-- behind them is as plain as can be, so that each spec says what it is about.

local REGION, ACCOUNT = "eu-west-1", "123456789012"
local ROLE = "arn:aws:iam::123456789012:role/shop-execution"
local GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop/0123456789abcdef"
local BALANCER = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shop/0123456789abcdef"
local USER = "arn:aws:iam::123456789012:user/deployer"
local REGISTRY = ACCOUNT .. ".dkr.ecr." .. REGION .. ".amazonaws.com/"
local REPOSITORY = REGISTRY .. "shop"
local SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-AbCdEf"
local OTHER_SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/key-AbCdEf"
local CONFIG = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
local DIGEST = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
local LAYER = "https://prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com/1/2?X-Amz-Signature=3"

local args = { cluster = "shop", service = "shop" }

-- ---- what there is -------------------------------------------------------------------------------

local function service(more)
  return {
    service_name = "shop",
    service_arn = "arn:aws:ecs:eu-west-1:123456789012:service/shop/shop",
    status = "ACTIVE",
    desired_count = more.desired or 2,
    running_count = more.desired or 2,
    pending_count = 0,
    launch_type = more.launch_type or not more.providers and "FARGATE" or nil,
    capacity_provider_strategy = more.providers,
    task_definition = "shop:1",
    deployment_controller = { type = more.controller or "ECS" },
    deployment_configuration = more.configuration or {
      minimum_healthy_percent = 100,
      maximum_percent = 200,
      deployment_circuit_breaker = { enable = true, rollback = true },
    },
    network_configuration = more.network ~= "none" and { awsvpc_configuration = {
      subnets = { "subnet-1", "subnet-2" },
      security_groups = { "sg-1" },
      assign_public_ip = more.public or "ENABLED",
    } } or nil,
    load_balancers = more.balanced and { {
      target_group_arn = GROUP,
      container_name = "web",
      container_port = 80,
      advanced_configuration = more.alternate and { alternate_target_group_arn = more.alternate } or nil,
    } } or nil,
    health_check_grace_period_seconds = more.balanced and 60 or nil,
  }
end

local function definition(more)
  return {
    task_definition_arn = more.arn ~= "none" and "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop:1" or nil,
    family = "shop",
    status = "ACTIVE",
    network_mode = more.mode or "awsvpc",
    cpu = more.cpu or "256",
    memory = more.memory or "512",
    compatibilities = more.compatibilities or { "EC2", "FARGATE" },
    execution_role_arn = more.role,
    container_definitions = more.containers or { {
      name = "web",
      image = more.image or "docker.io/library/nginx:1.27",
      essential = true,
      port_mappings = { { container_port = 80 } },
      secrets = more.secrets,
      log_configuration = more.logs,
      environment_files = more.files,
    } },
  }
end

local function subnet(id, vpc, free)
  return {
    subnet_id = id,
    vpc_id = vpc or "vpc-1",
    available_ip_address_count = free or 100,
    state = "available",
    availability_zone = "eu-west-1a",
  }
end

local way_out = { {
  vpc_id = "vpc-1",
  associations = { { main = true } },
  routes = { { destination_cidr_block = "0.0.0.0/0", gateway_id = "igw-1", state = "active" } },
} }

local function allowed(action, resource)
  return { eval_action_name = action, eval_resource_name = resource or "*", eval_decision = "allowed" }
end

-- The answers to every run. `world` may say otherwise of each; `more` are further ones.
local function answers(world, more)
  local list = {
    { operation = "ecs.describe_services", output = { services = { service(world.service or {}) } } },
    {
      operation = "ecs.describe_task_definition",
      output = { task_definition = definition(world.definition or {}) },
    },
    { operation = "sts.get_caller_identity", output = { arn = world.caller or USER } },
    {
      operation = "cloudwatch.get_metric_data",
      output = { metric_data_results = { { id = "used", values = { 2 } }, { id = "quota", values = { 64 } } } },
      optional = true,
    },
    {
      operation = "ec2.describe_subnets",
      output = { subnets = world.subnets or { subnet "subnet-1", subnet "subnet-2" } },
      optional = true,
    },
    {
      operation = "ec2.describe_security_groups",
      output = { security_groups = world.groups or { { group_id = "sg-1", group_name = "web", vpc_id = "vpc-1" } } },
      optional = true,
    },
    {
      operation = "ec2.describe_route_tables",
      output = { route_tables = world.tables or way_out },
      optional = true,
    },
  }
  for index = 1, #(more or {}) do
    list[#list + 1] = more[index]
  end
  -- The caller's rights are asked for after the execution role's.
  list[#list + 1] = {
    operation = "iam.simulate_principal_policy",
    input = { policy_source_arn = USER },
    optional = world.caller ~= nil,
    output = { evaluation_results = { allowed "ecs:UpdateService" } },
  }
  return list
end

-- One check fails, and no other.
local function fails(name, check, world, more)
  return {
    name = name,
    args = args,
    answers = answers(world, more),
    expect = { verdict = "check_failed", exit_code = 10, message = "checks failed: " .. check .. ".", writes = {} },
  }
end

local function told(name, lines, world, more)
  return {
    name = name,
    args = args,
    answers = answers(world, more),
    expect = { verdict = "done", exit_code = 0, lines = lines, writes = {} },
  }
end

-- ---- parts of it ---------------------------------------------------------------------------------

local function repository(manifest)
  return {
    operation = "ecr.batch_get_image",
    input = { registry_id = ACCOUNT, repository_name = "shop", image_ids = { { image_tag = "v1" } } },
    output = { images = { {
      image_id = { image_tag = "v1", image_digest = DIGEST },
      image_manifest = manifest,
    } } },
  }
end

local one_image = '{"schemaVersion":2,"config":{"digest":"' .. CONFIG .. '"},"layers":[]}'

local address = {
  operation = "ecr.get_download_url_for_layer",
  input = { layer_digest = CONFIG },
  output = { download_url = LAYER, layer_digest = CONFIG },
}

local no_repository = {
  operation = "ecr.batch_get_image",
  error = { code = "RepositoryNotFoundException", message = "no such repository", status = 400 },
}

local cache_rule = {
  operation = "ecr.describe_pull_through_cache_rules",
  output = { pull_through_cache_rules = {
    { ecr_repository_prefix = "hub", upstream_registry_url = "registry-1.docker.io" },
  } },
}

local function role(trust)
  return {
    operation = "iam.get_role",
    input = { role_name = "shop-execution" },
    output = { role = {
      role_name = "shop-execution",
      arn = ROLE,
      path = "/",
      role_id = "AROAEXAMPLE",
      create_date = 0,
      assume_role_policy_document = trust
        or '{"Statement":{"Effect":"Allow","Principal":{"Service":["ecs-tasks.amazonaws.com"]},"Action":["sts:AssumeRole"]}}',
    } },
  }
end

local function simulated(action, decision, lacks)
  return {
    operation = "iam.simulate_principal_policy",
    input = { policy_source_arn = ROLE, action_names = { action } },
    output = { evaluation_results = { {
      eval_action_name = action,
      eval_resource_name = SECRET,
      eval_decision = decision,
      missing_context_values = lacks,
    } } },
  }
end

local described_secret = {
  operation = "secretsmanager.describe_secret",
  input = { secret_id = SECRET },
  output = { arn = SECRET, name = "shop/db", version_ids_to_stages = { a = { "AWSCURRENT" } } },
}

local with_secret = { role = ROLE, secrets = { { name = "DB", value_from = SECRET } } }

local function secret_policy(text)
  return {
    operation = "secretsmanager.get_resource_policy",
    input = { secret_id = SECRET },
    output = { arn = SECRET, name = "shop/db", resource_policy = text },
  }
end

local SPARE = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/spare/0123456789abcdef"

local function target_group(more)
  return {
    operation = "elbv2.describe_target_groups",
    input = { target_group_arns = { more.arn or GROUP } },
    output = { target_groups = { {
      target_group_arn = more.arn or GROUP,
      target_type = "ip",
      vpc_id = more.vpc or "vpc-1",
      port = 80,
      protocol = "HTTP",
      health_check_port = "traffic-port",
      load_balancer_arns = { not more.unattached and BALANCER or nil },
    } } },
  }
end

local function balancer(groups)
  return {
    operation = "elbv2.describe_load_balancers",
    output = { load_balancers = { {
      load_balancer_arn = BALANCER,
      load_balancer_name = "shop",
      state = { code = "active" },
      security_groups = groups,
    } } },
  }
end

local function open_to(cidr)
  return { {
    group_id = "sg-1",
    group_name = "web",
    vpc_id = "vpc-1",
    ip_permissions = { { ip_protocol = "-1", ip_ranges = { { cidr_ip = cidr } } } },
  } }
end

local function endpoint(name)
  return { service_name = "com.amazonaws.eu-west-1." .. name, state = "available" }
end

local from_ecr = { image = REPOSITORY .. ":v1", role = ROLE }

local function pulling(trust)
  return {
    role(trust),
    {
      operation = "iam.simulate_principal_policy",
      input = { policy_source_arn = ROLE },
      output = { evaluation_results = { allowed "ecr:GetAuthorizationToken" } },
      times = 2,
    },
  }
end

-- What pulling from ECR asks for, and these.
local function with_pull(first, second, third)
  local list = pulling()
  list[3], list[4], list[5] = first, second, third
  return list
end

return {
  runbook = "deploy/preflight",
  specs = {
    told("the_plainest_service_could_be_deployed", { "not checked: images exist: library/nginx:1.27" }, {}),

    -- ---- the service ----
    fails("codedeploy_is_named", "ECS deploys the service", { service = { controller = "CODE_DEPLOY" } }),
    told("percentages_do_not_hold_up_a_blue_green_deployment", { "rolling out by BLUE_GREEN" }, {
      service = { configuration = {
        strategy = "BLUE_GREEN",
        minimum_healthy_percent = 100,
        maximum_percent = 100,
        deployment_circuit_breaker = { enable = true, rollback = true },
      } },
    }),
    fails("three_tasks_at_130_percent_cannot_move", "percentages let it move", {
      service = { desired = 3, configuration = { minimum_healthy_percent = 100, maximum_percent = 130 } },
    }),
    told("two_kinds_of_fargate_have_two_quotas", { "not checked: room for the tasks: the service uses Fargate and" }, {
      service = { providers = {
        { capacity_provider = "FARGATE", weight = 1 },
        { capacity_provider = "FARGATE_SPOT", weight = 1 },
      } },
    }),
    told("room_on_container_instances_is_not_checked", { "room for the tasks: the tasks run on container instances" }, {
      service = { launch_type = "EC2" },
    }),
    fails("a_service_without_subnets_cannot_run_awsvpc", "task definition fits the service", {
      service = { network = "none" },
    }),
    fails("a_size_that_fargate_does_not_have", "task definition fits the service", {
      definition = { arn = "none", cpu = "256", memory = "4096" },
    }),
    fails("a_revision_that_is_not_for_fargate", "task definition fits the service", {
      definition = { compatibilities = { "EC2" } },
    }),
    fails("a_task_without_an_essential_container", "containers fit together", {
      definition = { containers = { { name = "web", image = "docker.io/library/nginx:1.27", essential = false } } },
    }),
    told("environment_files_are_not_looked_at", { "not checked: files of the tasks: environment files of container web" }, {
      definition = { files = { { value = "arn:aws:s3:::shop/env", type = "s3" } } },
    }),

    -- ---- images ----
    told("a_configuration_that_cannot_be_fetched_is_not_checked", {
      "not checked: images fit the processor: shop:v1: its configuration could not be fetched from the registry's "
        .. "storage (status 403)",
    }, { definition = from_ecr }, with_pull(
      repository(one_image), address, { operation = "http.get", url = LAYER, status = 403, body = "" }
    )),
    told("a_configuration_that_names_no_platform_is_not_checked", { "its configuration names no platform" }, {
      definition = from_ecr,
    }, with_pull(
      repository(one_image), address, { operation = "http.get", url = LAYER, status = 200, body = "{}" }
    )),
    told("a_storage_that_cannot_be_reached_is_not_checked", { "could not be fetched from the registry's storage" }, {
      definition = from_ecr,
    }, with_pull(
      repository(one_image), address, { operation = "http.get", url = LAYER, network = "connection refused", times = 0 }
    )),
    fails("an_attestation_is_no_platform", "images fit the processor", {
      definition = from_ecr,
    }, with_pull(repository(
      '{"manifests":[{"digest":"sha256:1","platform":{"os":"unknown","architecture":"unknown"}}]}'
    ))),
    {
      name = "what_ecr_says_of_an_image_it_does_not_give_is_told",
      args = args,
      answers = answers({ definition = from_ecr }, with_pull({
        operation = "ecr.batch_get_image",
        output = { failures = { { image_id = { image_tag = "v1" }, failure_code = "ImageInaccessible" } } },
      }, { operation = "ecr.describe_pull_through_cache_rules", output = { pull_through_cache_rules = {} } })),
      expect = {
        verdict = "check_failed",
        exit_code = 10,
        lines = { "shop:v1 is not in the registry (ImageInaccessible): push it, or name another one" },
      },
    },
    told("an_image_that_ecr_would_fetch_is_not_checked", {
      "not checked: images exist: hub/nginx:1 is not in the registry yet; whether registry-1.docker.io has it",
    }, { definition = { image = REGISTRY .. "hub/nginx:1", role = ROLE } }, with_pull(no_repository, cache_rule)),
    fails("an_image_that_nobody_would_fetch_is_missing", "images exist", {
      definition = { image = REGISTRY .. "hubert/nginx:1", role = ROLE },
    }, with_pull(no_repository, cache_rule)),
    told("an_image_of_another_region_is_not_checked", { "not checked: images exist: shop:v1: of another registry" }, {
      definition = { image = ACCOUNT .. ".dkr.ecr.us-east-1.amazonaws.com/shop:v1", role = ROLE },
    }, pulling()),

    -- ---- roles and rights ----
    fails("a_secret_wants_an_execution_role", "execution role exists", {
      definition = { secrets = { { name = "DB", value_from = SECRET } } },
    }, { described_secret }),
    fails("an_image_of_ecr_wants_an_execution_role", "execution role exists", {
      definition = { image = ACCOUNT .. ".dkr.ecr.us-east-1.amazonaws.com/shop:v1" },
    }),
    told("trust_under_conditions_is_said_to_be_so", { "under conditions, which were not evaluated" }, {
      definition = with_secret,
    }, {
      described_secret,
      role '{"Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"}}}]}',
      simulated("secretsmanager:GetSecretValue", "allowed"),
    }),
    fails("what_the_role_is_not_allowed_and_nobody_else_allows_fails", "execution role may do its work", { definition = with_secret }, {
      described_secret, role(), simulated("secretsmanager:GetSecretValue", "implicitDeny"), secret_policy(nil),
    }),
    told("what_a_policy_of_the_secret_may_allow_is_not_certain", {
      "not checked: execution role may do its work: shop-execution is not allowed to secretsmanager:GetSecretValue",
    }, { definition = with_secret }, {
      described_secret, role(), simulated("secretsmanager:GetSecretValue", "implicitDeny"), secret_policy "{}",
    }),
    fails("what_is_denied_in_so_many_words_fails", "execution role may do its work", {
      definition = with_secret,
    }, { described_secret, role(), simulated("secretsmanager:GetSecretValue", "explicitDeny") }),
    told("what_depends_on_the_context_is_not_certain", { "depends on aws:SourceVpc" }, { definition = with_secret }, {
      described_secret, role(), simulated("secretsmanager:GetSecretValue", "explicitDeny", { "aws:SourceVpc" }),
    }),

    told("what_iam_cannot_simulate_is_not_taken_for_allowed", {
      "not checked: caller may deploy: IAM cannot say what arn:aws:sts::123456789012:federated-user/ann may do",
    }, { caller = "arn:aws:sts::123456789012:federated-user/ann" }),
    told("the_role_behind_a_session_is_looked_up", { "arn:aws:sts::123456789012:assumed-role/deployer/ann" }, {
      caller = "arn:aws:sts::123456789012:assumed-role/deployer/ann",
    }, {
      {
        operation = "iam.get_role",
        input = { role_name = "deployer" },
        output = { role = {
          role_name = "deployer",
          arn = "arn:aws:iam::123456789012:role/path/deployer",
          path = "/path/",
          role_id = "AROAEXAMPLE",
          create_date = 0,
          assume_role_policy_document = "{}",
        } },
      },
      {
        operation = "iam.simulate_principal_policy",
        input = { policy_source_arn = "arn:aws:iam::123456789012:role/path/deployer" },
        output = { evaluation_results = { allowed "ecs:UpdateService" } },
      },
    }),

    told("a_secret_that_may_not_be_described_says_nothing_of_others", {
      "not checked: secrets exist: shop/key-AbCdEf could not be read (denied: secretsmanager:DescribeSecret)",
      "1 of 2",
    }, {
      definition = {
        role = ROLE,
        secrets = { { name = "DB", value_from = SECRET }, { name = "KEY", value_from = OTHER_SECRET } },
      },
    }, {
      described_secret,
      {
        operation = "secretsmanager.describe_secret",
        error = { code = "AccessDeniedException", message = "no", status = 400 },
      },
      role(),
      simulated("secretsmanager:GetSecretValue", "allowed"),
    }),
    told("a_parameter_that_another_account_shares_is_not_checked", {
      "not checked: parameters exist: /shop/db (DB of container web) is in account 999999999999",
    }, {
      definition = { role = ROLE, secrets = { {
        name = "DB",
        value_from = "arn:aws:ssm:eu-west-1:999999999999:parameter/shop/db",
      } } },
    }, { role(), simulated("ssm:GetParameters", "allowed") }),

    -- ---- other regions and accounts ----
    told("secrets_and_logs_of_other_regions_are_not_checked", {
      "not checked: secrets exist: other-AbCdEf (DB of container web) is in us-east-1",
      "not checked: log groups exist: /shop is in us-east-1",
    }, {
      definition = {
        role = ROLE,
        secrets = { {
          name = "DB",
          value_from = "arn:aws:secretsmanager:us-east-1:123456789012:secret:other-AbCdEf",
        } },
        logs = { log_driver = "awslogs", options = { ["awslogs-group"] = "/shop", ["awslogs-region"] = "us-east-1" } },
      },
    }, pulling()),

    -- ---- network ----
    fails("a_subnet_that_is_gone", "subnets exist", { subnets = { subnet "subnet-1" } }),
    fails("subnets_without_a_free_address", "subnets have free addresses", {
      subnets = { subnet("subnet-1", nil, 0), subnet("subnet-2", nil, 0) },
    }),
    told("subnets_with_fewer_addresses_than_tasks", { "room in each subnet: 1 free, 2 needed" }, {
      subnets = { subnet("subnet-1", nil, 1), subnet("subnet-2", nil, 0) },
    }),
    fails("a_subnet_of_another_vpc", "the network is one VPC", {
      subnets = { subnet "subnet-1", subnet("subnet-2", "vpc-2") },
    }),
    fails("a_security_group_of_another_vpc", "the network is one VPC", {
      groups = { { group_id = "sg-1", group_name = "web", vpc_id = "vpc-2" } },
    }),
    fails("a_route_to_a_gateway_that_is_gone", "tasks reach what they start with", {
      tables = { {
        associations = { { main = true } },
        routes = { { destination_cidr_block = "0.0.0.0/0", nat_gateway_id = "nat-1", state = "blackhole" } },
      } },
    }, { { operation = "ec2.describe_vpc_endpoints", output = { vpc_endpoints = {} } } }),
    told("the_subnets_own_route_table_counts", { "by the default routes of their subnets" }, {
      service = { public = "DISABLED" },
      tables = {
        { associations = { { main = true } }, routes = {} },
        {
          associations = { { subnet_id = "subnet-1" }, { subnet_id = "subnet-2" } },
          routes = { { destination_cidr_block = "0.0.0.0/0", nat_gateway_id = "nat-1", state = "active" } },
        },
      },
    }),
    told("endpoints_are_a_way_too", { "by VPC endpoints for ecr.api, ecr.dkr, s3" }, {
      service = { public = "DISABLED" },
      definition = from_ecr,
      tables = { { associations = { { main = true } }, routes = {} } },
    }, with_pull(
      repository '{"manifests":[{"digest":"sha256:1","platform":{"os":"linux","architecture":"amd64"}}]}',
      { operation = "ec2.describe_vpc_endpoints", output = {
        vpc_endpoints = { endpoint "ecr.api", endpoint "ecr.dkr", endpoint "s3" },
      } }
    )),
    fails("an_endpoint_that_is_missing", "tasks reach what they start with", {
      service = { public = "DISABLED" },
      definition = from_ecr,
      tables = { { associations = { { main = true } }, routes = {} } },
    }, with_pull(
      repository '{"manifests":[{"digest":"sha256:1","platform":{"os":"linux","architecture":"amd64"}}]}',
      { operation = "ec2.describe_vpc_endpoints", output = { vpc_endpoints = { endpoint "ecr.api", endpoint "s3" } } }
    )),
    told("a_way_by_ipv6_alone_is_not_judged", { "not checked: tasks reach what they start with: there is a default" }, {
      tables = { {
        associations = { { main = true } },
        routes = { { destination_ipv6_cidr_block = "::/0", gateway_id = "igw-1", state = "active" } },
      } },
    }, { { operation = "ec2.describe_vpc_endpoints", output = { vpc_endpoints = {} } } }),
    fails("an_image_of_the_internet_takes_a_way_there", "tasks reach what they start with", {
      service = { public = "DISABLED" },
    }, { { operation = "ec2.describe_vpc_endpoints", output = { vpc_endpoints = { endpoint "s3" } } } }),

    -- ---- the load balancer ----
    fails("a_target_group_of_another_vpc", "target groups are in the tasks' VPC", {
      service = { balanced = true },
      groups = open_to "0.0.0.0/0",
    }, { target_group { vpc = "vpc-2" }, balancer { "sg-2" } }),
    told("the_spare_group_of_a_blue_green_service_need_not_be_attached", { "shop, spare" }, {
      service = { balanced = true, alternate = SPARE },
      groups = open_to "0.0.0.0/0",
    }, { target_group {}, target_group { arn = SPARE, unattached = true }, balancer { "sg-2" } }),
    told("a_group_that_is_open_to_all_lets_the_load_balancer_in", { "by the tasks' security groups" }, {
      service = { balanced = true },
      groups = open_to "0.0.0.0/0",
    }, { target_group {}, balancer { "sg-2" } }),
    told("a_load_balancer_without_groups_is_not_judged_by_addresses", {
      "not checked: the load balancer reaches the tasks",
    }, { service = { balanced = true }, groups = open_to "10.0.0.0/8" }, { target_group {}, balancer {} }),
  },
}
