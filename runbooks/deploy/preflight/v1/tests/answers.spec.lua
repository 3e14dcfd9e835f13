-- deploy/preflight on simulated worlds in which AWS gives other answers than the world would: settings of services,
-- networks and registries that the simulator does not have. rehearsals.spec.lua has what it has.

local CLUSTER, SERVICE = "aistudio-dev", "aistudio-dev"
local REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"
local ROLE = "arn:aws:iam::123456789012:role/aistudio-dev-"
local SECRETS = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"
local EMPTY = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" -- of "{}"

local ELSEWHERE = { image = "docker.io/library/nginx:1.27" } -- an image that ECR is not asked for
local NEWEST = { task_definition = "aistudio-dev" }

-- ---- worlds --------------------------------------------------------------------------------------

local function call(service, operation, input, keep)
  return { "someone_calls", { service = service, operation = operation, input = input, keep = keep } }
end

local function answer(service, operation, at, is)
  return { "change_answers", { service = service, operation = operation, at = at, is = is } }
end

-- A member of the service, of its task definition and of its only container.
local function seen(at, is)
  return answer("ecs", "describe_services", "services.1." .. at, is)
end

local function definition(at, is)
  return answer("ecs", "describe_task_definition", "task_definition." .. at, is)
end

local function container(at, is)
  return definition("container_definitions.1." .. at, is)
end

-- A service of two tasks as plain as can be: behind no load balancer, without secrets.
local function plain(fields)
  fields = fields or {}
  fields.app, fields.env, fields.image = "aistudio", "dev", "aistudio-dev:v1"
  fields.desired, fields.load_balancer = fields.desired or 2, fields.load_balancer or false
  return { "service", fields }
end

local function registered(fields)
  return call("ecs", "register_task_definition", {
    family = "aistudio-dev", network_mode = "awsvpc", requires_compatibilities = { "FARGATE" }, cpu = "512",
    memory = "1024", execution_role_arn = ROLE .. "execution", task_role_arn = ROLE .. "task",
    container_definitions = { {
      name = "aistudio", image = REGISTRY .. "aistudio-dev:v1", secrets = fields.secrets,
      log_configuration = fields.logs, port_mappings = { { container_port = 3000 } },
    } },
  })
end

-- ---- specs ---------------------------------------------------------------------------------------

local function run(args)
  args = args or {}
  return { runbook = "deploy/preflight", args = {
    cluster = CLUSTER, service = SERVICE, image = args.image, task_definition = args.task_definition,
  } }
end

-- One check fails, and no other.
local function fails(name, check, world, args)
  return {
    name = name,
    world = world,
    run = run(args),
    expect = {
      verdict = "check_failed", exit_code = 10, writes = {}, message = "checks failed: " .. check .. ".",
      checks = { [check] = "fail" },
    },
  }
end

-- Nothing fails, and lines tell of it.
local function told(name, lines, world, args)
  return { name = name, world = world, run = run(args), expect = { verdict = "done", exit_code = 0, lines = lines, writes = {} } }
end

-- ---- images and roles ----------------------------------------------------------------------------

local function manifest(text)
  return answer("ecr", "batch_get_image", "images.1.image_manifest", text)
end

local function platforms(os, architecture)
  return manifest('{"manifests":[{"digest":"sha256:1","platform":{"os":"' .. os .. '","architecture":"' .. architecture .. '"}}]}')
end

local upload = call("ecr", "initiate_layer_upload", { repository_name = "aistudio-dev" }, "upload")
local uploaded = call("ecr", "upload_layer_part", {
  repository_name = "aistudio-dev", upload_id = "${upload.upload_id}", part_first_byte = 0, part_last_byte = 1,
  layer_part_blob = "{}",
})
local completed = call("ecr", "complete_layer_upload", {
  repository_name = "aistudio-dev", upload_id = "${upload.upload_id}", layer_digests = { EMPTY },
})

local fetched_from_hub = answer("ecr", "describe_pull_through_cache_rules", "pull_through_cache_rules", {
  { ecr_repository_prefix = "hub", upstream_registry_url = "registry-1.docker.io" },
})

local function trust(text)
  return call("iam", "update_assume_role_policy", { role_name = "aistudio-dev-execution", policy_document = text })
end

local no_secret = { "deny", { action = "aistudio-dev-execution secretsmanager:GetSecretValue" } }

-- What IAM says of the first need that it is asked about: the execution role's, before the caller's.
local function simulated(member, is)
  return { "change_answers", { service = "iam", operation = "simulate_principal_policy", count = 1,
    at = "evaluation_results.1." .. member, is = is } }
end

-- A service whose execution role is needed for its secret and nothing else.
local function secretive(...)
  return {
    plain { secrets = { DB = "aistudio/dev/database" } }, container "log_configuration",
    container("image", ELSEWHERE.image), ...,
  }
end

-- A role with a path, which its sessions do not tell.
local deployer = call("iam", "create_role", {
  role_name = "deployer", path = "/path/",
  assume_role_policy_document = '{"Version":"2012-10-17","Statement":[]}',
})
local SESSION = "arn:aws:sts::123456789012:assumed-role/deployer/ann"

local secret_has_policy = answer("secretsmanager", "get_resource_policy", "resource_policy", "{}")

local function caller(arn)
  return answer("sts", "get_caller_identity", "arn", arn)
end

-- ---- the network ---------------------------------------------------------------------------------

local function subnet(number, member, is)
  return answer("ec2", "describe_subnets", "subnets." .. number .. "." .. member, is)
end

local function free(number, count)
  return subnet(number, "available_ip_address_count", count)
end

local function routes(...)
  return answer("ec2", "describe_route_tables", "route_tables", { ... })
end

local function main(...)
  return { associations = { { main = true } }, routes = { ... } }
end

local function endpoints(...)
  local list = {}
  local names = { ... }
  for index = 1, #names do
    list[index] = { service_name = "com.amazonaws.eu-west-1." .. names[index], state = "available" }
  end
  return answer("ec2", "describe_vpc_endpoints", "vpc_endpoints", list)
end

local NETWORK = "network_configuration.awsvpc_configuration."
local private = seen(NETWORK .. "assign_public_ip", "DISABLED")
local described = call("ecs", "describe_services", { cluster = CLUSTER, services = { SERVICE } }, "found")
local SUBNET = "${found.services.1." .. NETWORK .. "subnets."

-- ---- the load balancer ---------------------------------------------------------------------------

-- The tasks' only security group lets these addresses in.
local function open_to(cidr)
  return answer("ec2", "describe_security_groups", "security_groups.1.ip_permissions", {
    { ip_protocol = "-1", ip_ranges = { { cidr_ip = cidr } } },
  })
end

return {
  told("an image of another registry is named as not checked", { "not checked: images exist: library/nginx:1.27" },
    { plain() }, ELSEWHERE),

  -- ---- the service ----
  fails("codedeploy is named", "ECS deploys the service", { plain(), seen("deployment_controller", { type = "CODE_DEPLOY" }) }),
  told("percentages do not hold up a blue/green deployment", { "rolling out by BLUE_GREEN" }, {
    plain(),
    seen("deployment_configuration", {
      strategy = "BLUE_GREEN", minimum_healthy_percent = 100, maximum_percent = 100,
      deployment_circuit_breaker = { enable = true, rollback = true },
    }),
  }),
  fails("three tasks at 130 percent cannot move", "percentages let it move", {
    plain { desired = 3, minimum_healthy_percent = 100, maximum_percent = 130 },
  }),
  told("two kinds of Fargate have two quotas", { "not checked: room for the tasks: the service uses Fargate and" }, {
    plain(), seen "launch_type",
    seen("capacity_provider_strategy", {
      { capacity_provider = "FARGATE", weight = 1 }, { capacity_provider = "FARGATE_SPOT", weight = 1 },
    }),
  }),
  told("room on container instances is not checked", { "room for the tasks: the tasks run on container instances" }, {
    plain(), seen("launch_type", "EC2"), definition("compatibilities", { "EC2", "FARGATE" }),
  }),
  fails("a service without subnets cannot run awsvpc", "task definition fits the service", {
    plain(), seen "network_configuration",
  }),
  fails("a size that Fargate does not have", "task definition fits the service", {
    plain(), definition "task_definition_arn", definition("cpu", "256"), definition("memory", "4096"),
  }),
  fails("a revision that is not for Fargate", "task definition fits the service", {
    plain(), definition("compatibilities", { "EC2" }),
  }),
  fails("a task without an essential container", "containers fit together", { plain(), container("essential", false) }),
  told("environment files are not looked at", { "not checked: files of the tasks: environment files of container aistudio" }, {
    plain(), container("environment_files", { { value = "arn:aws:s3:::shop/env", type = "s3" } }),
  }),

  -- ---- images ----
  told("a configuration that cannot be fetched is not checked", {
    "not checked: images fit the processor: aistudio-dev:v1: its configuration could not be fetched from the registry's "
      .. "storage (status 403)",
  }, { plain(), { "fail_calls", { service = "http", status = 403, message = "" } } }),
  told("a storage that cannot be reached is not checked", {
    "could not be fetched from the registry's storage (no connection)",
  }, { plain(), { "reset_calls", { service = "http" } } }),
  told("a configuration that names no platform is not checked", { "its configuration names no platform" }, {
    plain(), upload, uploaded, completed, manifest('{"schemaVersion":2,"config":{"digest":"' .. EMPTY .. '"},"layers":[]}'),
  }),
  fails("an attestation is no platform", "images fit the processor", { plain(), platforms("unknown", "unknown") }),
  {
    name = "what ECR says of an image it does not give is told",
    world = {
      plain(), answer("ecr", "batch_get_image", "images", {}),
      answer("ecr", "batch_get_image", "failures", { { image_id = { image_tag = "v1" }, failure_code = "ImageInaccessible" } }),
    },
    run = run(),
    expect = {
      verdict = "check_failed", exit_code = 10,
      lines = { "aistudio-dev:v1 is not in the registry (ImageInaccessible): push it, or name another one" },
    },
  },
  told("an image that ECR would fetch is not checked", {
    "not checked: images exist: hub/nginx:1 is not in the registry yet; whether registry-1.docker.io has it",
  }, { plain(), fetched_from_hub }, { image = REGISTRY .. "hub/nginx:1" }),
  fails("an image that nobody would fetch is missing", "images exist", { plain(), fetched_from_hub },
    { image = REGISTRY .. "hubert/nginx:1" }),
  told("an image of another region is not checked", { "not checked: images exist: aistudio-dev:v1: of another registry" },
    { plain() }, { image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/aistudio-dev:v1" }),

  -- ---- roles and rights ----
  fails("a secret wants an execution role", "execution role exists", secretive(definition "execution_role_arn")),
  fails("an image of ECR wants an execution role", "execution role exists", {
    plain(), definition "execution_role_arn", container "log_configuration",
  }),
  told("trust under conditions is said to be so", { "under conditions, which were not evaluated" }, {
    plain(),
    trust('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},'
      .. '"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"}}}]}'),
  }),
  fails("what the role is not allowed and nobody else allows fails", "execution role may do its work", secretive(no_secret)),
  told("what a policy of the secret may allow is not certain", {
    "not checked: execution role may do its work: aistudio-dev-execution is not allowed to secretsmanager:GetSecretValue",
  }, secretive(no_secret, secret_has_policy)),
  fails("what is denied in so many words fails, whatever a policy of the secret allows", "execution role may do its work",
    secretive(no_secret, secret_has_policy, simulated("eval_decision", "explicitDeny"))),
  told("what depends on the context is not certain", { "depends on aws:SourceVpc" }, secretive(
    simulated("eval_decision", "explicitDeny"), simulated("missing_context_values", { "aws:SourceVpc" })
  )),
  told("what IAM cannot simulate is not taken for allowed", {
    "not checked: caller may deploy: IAM cannot say what arn:aws:sts::123456789012:federated-user/ann may do",
  }, { plain(), caller "arn:aws:sts::123456789012:federated-user/ann" }),
  told("the role behind a session is looked up", { SESSION }, { plain(), deployer, caller(SESSION) }),
  fails("what the role behind a session may not do is told", "caller may deploy", {
    plain(), deployer, caller(SESSION), { "deny", { action = "deployer ecs:UpdateService" } },
  }),
  told("a secret that may not be described says nothing of others", {
    "not checked: secrets exist: ", "could not be read (denied: secretsmanager:DescribeSecret)", "1 of 2",
  }, {
    plain { secrets = { DB = "aistudio/dev/database", KEY = "aistudio/dev/key" } },
    { "deny_calls", { action = "secretsmanager:DescribeSecret", skip = 1 } },
  }),
  told("a parameter that another account shares is not checked", {
    "not checked: parameters exist: /shop/db (DB of container aistudio) is in account 999999999999",
  }, {
    plain(),
    registered { secrets = { { name = "DB", value_from = "arn:aws:ssm:eu-west-1:999999999999:parameter/shop/db" } } },
  }, NEWEST),
  told("secrets and logs of other regions are not checked", {
    "not checked: secrets exist: other-AbCdEf (DB of container aistudio) is in us-east-1",
    "not checked: log groups exist: /shop is in us-east-1",
  }, {
    plain(),
    registered {
      secrets = { { name = "DB", value_from = "arn:aws:secretsmanager:us-east-1:123456789012:secret:other-AbCdEf" } },
      logs = { log_driver = "awslogs", options = {
        ["awslogs-group"] = "/shop", ["awslogs-region"] = "us-east-1", ["awslogs-stream-prefix"] = "ecs",
      } },
    },
  }, NEWEST),

  -- ---- network ----
  fails("a subnet that is gone", "subnets exist", { plain(), answer("ec2", "describe_subnets", "subnets.3") }),
  fails("subnets without a free address", "subnets have free addresses", { plain(), free(1, 0), free(2, 0), free(3, 0) }),
  told("subnets with fewer addresses than tasks", { "room in each subnet: 1 free, 2 needed" }, {
    plain(), free(1, 1), free(2, 0), free(3, 0),
  }),
  fails("a subnet of another VPC", "the network is one VPC", { plain(), subnet(2, "vpc_id", "vpc-2") }),
  fails("a security group of another VPC", "the network is one VPC", {
    plain(), answer("ec2", "describe_security_groups", "security_groups.1.vpc_id", "vpc-2"),
  }),
  fails("a route to a gateway that is gone", "tasks reach what they start with", {
    plain(), routes(main { destination_cidr_block = "0.0.0.0/0", nat_gateway_id = "nat-1", state = "blackhole" }),
  }),
  told("the subnets' own route table counts", { "by the default routes of their subnets" }, {
    plain(), described, private,
    routes(main(), {
      associations = { { subnet_id = SUBNET .. "1}" }, { subnet_id = SUBNET .. "2}" }, { subnet_id = SUBNET .. "3}" } },
      routes = { { destination_cidr_block = "0.0.0.0/0", nat_gateway_id = "nat-1", state = "active" } },
    }),
  }),
  told("endpoints are a way too", { "by VPC endpoints for ecr.api, ecr.dkr, s3, logs" }, {
    plain(), private, routes(main()), endpoints("ecr.api", "ecr.dkr", "logs", "s3"),
  }),
  fails("an endpoint that is missing", "tasks reach what they start with", {
    plain(), private, routes(main()), endpoints("ecr.api", "logs", "s3"),
  }),
  told("a way by IPv6 alone is not judged", { "not checked: tasks reach what they start with: there is a default" }, {
    plain(), routes(main { destination_ipv6_cidr_block = "::/0", gateway_id = "igw-1", state = "active" }),
  }),
  fails("an image of the internet takes a way there", "tasks reach what they start with", {
    plain(), private, routes(main()), endpoints("logs", "s3"),
  }, ELSEWHERE),

  -- ---- the load balancer ----
  fails("a target group of another VPC", "target groups are in the tasks' VPC", {
    "service", answer("elbv2", "describe_target_groups", "target_groups.1.vpc_id", "vpc-2"),
  }),
  told("the spare group of a blue/green service need not be attached", { "aistudio-dev, spare" }, {
    "service",
    call("elbv2", "describe_target_groups", { names = { "aistudio-dev" } }, "first"),
    call("elbv2", "create_target_group", {
      name = "spare", protocol = "HTTP", port = 3000, target_type = "ip", vpc_id = "${first.target_groups.1.vpc_id}",
    }, "made"),
    seen("load_balancers.1.advanced_configuration", {
      alternate_target_group_arn = "${made.target_groups.1.target_group_arn}",
    }),
  }),
  told("a group that is open to all lets the load balancer in", { "by the tasks' security groups" }, {
    "service", open_to "0.0.0.0/0",
  }),
  told("a load balancer without groups is not judged by addresses", { "not checked: the load balancer reaches the tasks" }, {
    "service", answer("elbv2", "describe_load_balancers", "load_balancers.1.security_groups"), open_to "10.0.0.0/8",
  }),
}
