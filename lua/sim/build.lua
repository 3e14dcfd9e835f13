--- Building a world as its owners would have: through the services' own operations, so that every name
-- and number in it agrees. What the stock scenarios and the commands of a scenario file are made of.

local arguments = require "sim.arguments"
local faults = require "sim.faults"
local kept = require "sim.kept"
local strategy = require "sim.build.strategy"
local util = require "sim.util"
local watching = require "sim.build.watching"

local build = {}

-- ---- calling -------------------------------------------------------------------------------------

local function caller(world)
  return {
    access_key = "AKIASCENARIO", scenario = true, request_id = "scenario",
    arn = ("arn:aws:iam::%s:user/scenario"):format(world.data.account),
  }
end

--- Does an operation that must succeed; gives its output.
function build.call(world, service, operation, input)
  local answer = world:call(service, operation, input, caller(world))
  if answer.error then
    error(("%s.%s: %s: %s"):format(service, operation, answer.error.code, answer.error.message), 0)
  end
  return answer.output
end

local call = build.call

-- ---- images --------------------------------------------------------------------------------------

local function registry(world)
  return ("%s.dkr.ecr.%s.amazonaws.com"):format(world.data.account, world.data.region)
end

--- An image as a task definition names it: "app:v2" is in the account's own registry.
function build.image_uri(world, name)
  if name:match("^[^/]*[.:][^/]*/") then
    return name -- it names its registry
  end
  return registry(world) .. "/" .. name
end

local function is_own(world, uri)
  return uri:sub(1, #registry(world) + 1) == registry(world) .. "/"
end

local function repository_and_tag(name)
  local plain = name:gsub("^[^/]*[.:][^/]*/", "")
  local repository, tag = plain:match("^(.-):([^:/]+)$")
  return repository or plain, tag or "latest"
end

local behaviour_fields = arguments.set [[
  start crash out_of_memory health status paths latency error_rate error_status hang hang_after stop says ready
  start_error ]]
local image_fields = arguments.set [[
  name missing architecture platforms start crash out_of_memory health status paths latency error_rate
  error_status hang hang_after stop says ready start_error also ]]

local function refuse_bad_behaviour(what, args)
  arguments.types(what, args, "table", "crash stop paths platforms also")
  arguments.types(what, args, "number", "status error_rate error_status")
  arguments.check(what .. ".crash", args.crash, arguments.set "exit after says reason")
  arguments.check(what .. ".stop", args.stop, arguments.set "exit after")
  if args.health ~= nil and args.health ~= "healthy" and args.health ~= "unhealthy" then
    error(("%s: 'health' is \"healthy\" or \"unhealthy\""):format(what), 0)
  end
end

-- What an SRE says of an image as sim.app and sim.ecs ask for it.
local function behaviour_of(what, args)
  refuse_bad_behaviour(what, args)
  local out = {}
  for _, name in ipairs { "status", "paths", "error_rate", "error_status", "health", "hang", "says", "ready",
    "start_error" } do
    out[name] = util.copy(args[name])
  end
  out.start_seconds = arguments.seconds(what, args, "start")
  out.latency = arguments.seconds(what, args, "latency")
  out.oom_after = arguments.seconds(what, args, "out_of_memory")
  out.hang_after = arguments.seconds(what, args, "hang_after")
  if args.crash then
    out.exit = {
      code = args.crash.exit or 1, after = arguments.seconds(what .. ".crash", args.crash, "after", 0),
      says = args.crash.says, reason = args.crash.reason,
    }
  end
  if args.stop then
    out.stop = { code = args.stop.exit or 143, seconds = arguments.seconds(what .. ".stop", args.stop, "after", 0) }
  end
  return next(out) ~= nil and out or nil
end

--- Says what the containers of this name do, or with `image` those of an image.
function build.behave(world, args)
  local known = util.copy(behaviour_fields)
  known.image, known.container = true, true
  args = arguments.check("behave", args, known)
  local key = args.container and "container:" .. args.container or args.image or "*"
  faults.set(world, "behaviour", key, behaviour_of("behave", args))
end

--- Puts an image into the registry, and says what its containers do.
function build.image(world, args)
  args = arguments.check("image", args, image_fields)
  local name = arguments.need("image", args, "name")
  local uri = build.image_uri(world, name)
  local repository, tag = repository_and_tag(name)
  local behaviour, key = behaviour_of("image", args), uri
  if args.missing then
    faults.set(world, "image_missing", uri, args.missing)
  elseif is_own(world, uri) then
    local platforms = args.platforms or args.architecture and { "linux/" .. args.architecture }
    key = require("sim.ecr").add_image(world, {
      repository = repository, tag = tag, platforms = platforms or { "linux/amd64" }, seed = name,
    })
    for _, other in ipairs(args.also or {}) do
      if other ~= tag then
        build.move_tag(world, { image = repository .. ":" .. other, to = name })
      end
    end
  end
  faults.set(world, "behaviour", key, behaviour)
  return { image = uri, digest = key ~= uri and key or nil }
end

--- Lets a tag mean what another one means: the same image, built of the same bytes.
function build.move_tag(world, args)
  args = arguments.check("move_tag", args, arguments.set "image to")
  arguments.types("move_tag", args, "string", "to")
  local from_repository, from_tag = repository_and_tag(arguments.need("move_tag", args, "to"))
  local repository, tag = repository_and_tag(arguments.need("move_tag", args, "image"))
  local found = call(world, "ecr", "batch_get_image", {
    repository_name = from_repository, image_ids = { { image_tag = from_tag } },
  }).images[1]
  if not found then
    error(("move_tag: there is no image %s"):format(args.to), 0)
  end
  call(world, "ecr", "put_image", {
    repository_name = repository, image_tag = tag, image_manifest = found.image_manifest,
    image_manifest_media_type = found.image_manifest_media_type,
  })
end

--- Takes an image out of the registry, as a lifecycle policy would.
function build.delete_image(world, args)
  args = arguments.check("delete_image", args, arguments.set "image")
  local repository, tag = repository_and_tag(arguments.need("delete_image", args, "image"))
  if not require("sim.ecr").remove_image(world, repository, tag) then
    error(("delete_image: there is no image %s"):format(args.image), 0)
  end
end

-- ---- the parts of a service ----------------------------------------------------------------------

local function add_roles(world, name)
  local trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":'
    .. '"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
  local arns = {}
  for _, kind in ipairs { "execution", "task" } do
    local role = call(world, "iam", "create_role", {
      role_name = ("%s-%s"):format(name, kind), assume_role_policy_document = trust,
    }).role
    arns[kind] = role.arn
  end
  call(world, "iam", "attach_role_policy", {
    role_name = name .. "-execution",
    policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
  })
  return arns
end

local function add_group(world, vpc, name, port, from)
  local id = call(world, "ec2", "create_security_group", { group_name = name, description = name,
    vpc_id = vpc }).group_id
  call(world, "ec2", "authorize_security_group_ingress", { group_id = id, ip_permissions = { {
    ip_protocol = "tcp", from_port = port, to_port = port,
    ip_ranges = not from and { { cidr_ip = "0.0.0.0/0" } } or {},
    user_id_group_pairs = from and { { group_id = from } } or {},
  } } })
  return id
end

local function network_of(world, name, port)
  local vpc, subnets = require("sim.ec2").default_vpc(world)
  local ids = {}
  for index, subnet in ipairs(subnets) do
    ids[index] = subnet.subnet_id
  end
  local front = add_group(world, vpc.vpc_id, name .. "-alb", 80)
  local group = add_group(world, vpc.vpc_id, name .. "-service", port, front)
  return { vpc = vpc.vpc_id, subnets = ids, front = front, group = group }
end

local function add_target_group(world, args, network, name)
  local group = call(world, "elbv2", "create_target_group", {
    name = name, protocol = "HTTP", port = args.port, vpc_id = network.vpc, target_type = "ip",
    health_check_path = args.health_path, health_check_interval_seconds = args.health_interval,
    health_check_timeout_seconds = 5, healthy_threshold_count = 2, unhealthy_threshold_count = 3,
  }).target_groups[1].target_group_arn
  call(world, "elbv2", "modify_target_group_attributes", {
    target_group_arn = group,
    attributes = { { key = "deregistration_delay.timeout_seconds", value = ("%d"):format(args.deregistration_delay) } },
  })
  return group
end

local function add_balancer(world, args, network)
  local group = add_target_group(world, args, network, args.name)
  local balancer = call(world, "elbv2", "create_load_balancer", {
    name = args.name, subnets = network.subnets, security_groups = { network.front },
  }).load_balancers[1]
  local listener = call(world, "elbv2", "create_listener", {
    load_balancer_arn = balancer.load_balancer_arn, protocol = "HTTP", port = 80,
    default_actions = { { type = "forward", target_group_arn = group } },
  }).listeners[1].listener_arn
  call(world, "ssm", "put_parameter", {
    name = ("/%s/%s/alb-dns-name"):format(args.app, args.env), type = "String", value = balancer.dns_name,
  })
  local front = { group = group, balancer = balancer, listener = listener }
  front.advanced = strategy.front(world, call, args, front, function(name)
    return add_target_group(world, args, network, name)
  end)
  return front
end

-- {VARIABLE = secret's name}: secrets are made with a value that says nothing.
local function add_secrets(world, secrets)
  local list = {}
  for variable, name in util.sorted_pairs(secrets or {}) do
    local arn = build.secret(world, { name = name }).arn -- refuses a name that is no text
    list[#list + 1] = { name = variable, value_from = arn }
  end
  return list
end

local function register(world, args, roles)
  local platform = args.architecture == "arm64" and "ARM64" or "X86_64"
  return call(world, "ecs", "register_task_definition", {
    family = args.name, network_mode = "awsvpc", requires_compatibilities = { "FARGATE" },
    cpu = tostring(args.cpu), memory = tostring(args.memory),
    execution_role_arn = roles.execution, task_role_arn = roles.task,
    runtime_platform = { cpu_architecture = platform, operating_system_family = "LINUX" },
    container_definitions = { {
      name = args.container, image = build.image_uri(world, args.image), essential = true,
      port_mappings = { { container_port = args.port, protocol = "tcp" } },
      environment = { { name = "ENVIRONMENT", value = args.env } }, secrets = add_secrets(world, args.secrets),
      log_configuration = { log_driver = "awslogs", options = {
        ["awslogs-group"] = "/ecs/" .. args.name, ["awslogs-region"] = world.data.region,
        ["awslogs-stream-prefix"] = "ecs",
      } },
    } },
  }).task_definition
end

local function deployment_configuration(args)
  local breaker = args.circuit_breaker
  local out = { maximum_percent = args.maximum_percent, minimum_healthy_percent = args.minimum_healthy_percent }
  if breaker ~= false then
    breaker = type(breaker) == "table" and breaker or { enable = true, rollback = true }
    out.deployment_circuit_breaker = { enable = breaker.enable ~= false, rollback = breaker.rollback ~= false }
  end
  if args.deployment_alarms then
    out.alarms = { alarm_names = args.deployment_alarms, enable = true, rollback = true }
  end
  return strategy.begin(args, out)
end

local function create(world, args, definition, network, front)
  return call(world, "ecs", "create_service", {
    cluster = args.cluster, service_name = args.name, task_definition = definition.task_definition_arn,
    desired_count = args.desired, launch_type = "FARGATE", platform_version = "LATEST",
    deployment_configuration = deployment_configuration(args), enable_execute_command = true,
    health_check_grace_period_seconds = front and args.grace or nil,
    load_balancers = front and { {
      target_group_arn = front.group, container_name = args.container, container_port = args.port,
      advanced_configuration = front.advanced,
    } } or nil,
    network_configuration = { awsvpc_configuration = {
      subnets = network.subnets, security_groups = { network.group }, assign_public_ip = "ENABLED",
    } },
    tags = { { key = "Environment", value = args.env } }, propagate_tags = "SERVICE",
  }).service
end

-- ---- a whole service -----------------------------------------------------------------------------

local service_fields = arguments.set [[
  app env name cluster desired image container port cpu memory architecture health_path health_interval
  deregistration_delay grace load_balancer autoscaling circuit_breaker alarms deployment_alarms secrets
  minimum_healthy_percent maximum_percent strategy bake steps hooks controller history wait ]]

local function with_defaults(args)
  args = arguments.check("service", args, service_fields)
  arguments.types("service", args, "string", "health_path")
  arguments.types("service", args, "table", "deployment_alarms secrets")
  arguments.types("service", args, "number", "cpu memory")
  for _, name in ipairs { "health_interval", "deregistration_delay", "grace" } do
    args[name] = arguments.seconds("service", args, name)
  end
  strategy.check(args)
  arguments.check("service.autoscaling", args.autoscaling or nil, arguments.set "min max cpu")
  args.app, args.env = args.app or "app", args.env or "dev"
  args.name = args.name or ("%s-%s"):format(args.app, args.env)
  args.cluster, args.container = args.cluster or args.name, args.container or args.app
  args.image = args.image or args.name .. ":v1"
  local defaults = {
    desired = 1, port = 3000, cpu = 512, memory = 1024, health_path = "/api/healthz", health_interval = 15,
    deregistration_delay = 30, grace = 60, minimum_healthy_percent = 100, maximum_percent = 200, load_balancer = true,
  }
  for name, value in util.sorted_pairs(defaults) do
    if args[name] == nil then
      args[name] = value
    end
  end
  return args
end

local function has_image(world, name)
  return require("sim.ecr").resolve(world, build.image_uri(world, name)) ~= nil
end

-- An ordinary application: two pages, says when it listens, ends when it is told to.
local function ordinary(args)
  return {
    paths = { ["/"] = 200, [args.health_path] = 200 }, stop = { seconds = 2, code = 0 },
    ready = ('{"level":"info","message":"listening on port %d"}'):format(args.port),
  }
end

-- Puts an image into the registry unless it is there.
local function provide_image(world, args, name)
  if not has_image(world, name) then
    local architecture = args.architecture == "arm64" and "arm64" or nil
    build.image(world, { name = name, architecture = architecture, also = { "latest" } })
  end
end

-- The images that were deployed one after the other, the one that runs now last.
local function images_of(world, args)
  local list = {}
  for index, name in ipairs(args.history or {}) do
    list[index] = name:find(":", 1, true) and name or ("%s:%s"):format((repository_and_tag(args.image)), name)
  end
  list[#list + 1] = args.image
  for _, name in ipairs(list) do
    provide_image(world, args, name)
  end
  return list
end

-- The deployments that came after the first one, and how the service is deployed from now on.
local function live_through(world, args, images)
  local timeout = args.strategy and "6h" or "30m" -- steps take their time
  for index = 2, #images do
    build.settle(world, { timeout = timeout })
    build.deploy(world, { cluster = args.cluster, service = args.name, image = images[index] })
  end
  local rest = strategy.rest(world, args)
  if args.wait ~= false or rest or args.controller then
    build.settle(world, { timeout = timeout })
  end
  if rest then
    call(world, "ecs", "update_service",
      { cluster = args.cluster, service = args.name, deployment_configuration = rest })
  end
  if args.controller then
    require("sim.ecs").adopt(world, args.cluster, args.name, args.controller)
  end
end

--- Builds a service with all that belongs to it and waits until it is steady.
function build.service(world, args)
  args = with_defaults(args)
  faults.set(world, "behaviour", "usual:" .. args.container, ordinary(args))
  local images = images_of(world, args)
  args.image = images[1]
  call(world, "ssm", "put_parameter", {
    name = ("/%s/%s/ecr-repository-uri"):format(args.app, args.env), type = "String",
    value = build.image_uri(world, (repository_and_tag(args.image))),
  })
  call(world, "ecs", "create_cluster", {
    cluster_name = args.cluster, settings = { { name = "containerInsights", value = "enabled" } },
  })
  call(world, "logs", "create_log_group", { log_group_name = "/ecs/" .. args.name })
  call(world, "logs", "put_retention_policy", { log_group_name = "/ecs/" .. args.name, retention_in_days = 30 })
  local roles, network = add_roles(world, args.name), network_of(world, args.name, args.port)
  local front = args.load_balancer and add_balancer(world, args, network) or nil
  if args.alarms then
    watching.add_alarms(world, call, args, front)
  end
  require("sim.cloudwatch").wake(world) -- a service has been measured ever since it was made
  local definition = register(world, args, roles)
  create(world, args, definition, network, front)
  if args.autoscaling then
    watching.add_scaling(world, call, args)
  end
  live_through(world, args, images)
  return { cluster = args.cluster, service = args.name, task_definition = definition.task_definition_arn,
    target_group = front and front.group, dns_name = front and front.balancer.dns_name }
end

-- ---- things by themselves ------------------------------------------------------------------------

--- Makes a secret, or says of one what is wrong with it: missing, denied, no_version.
function build.secret(world, args)
  args = arguments.check("secret", args, arguments.set "name value missing denied no_version")
  arguments.types("secret", args, "string", "value")
  local name = arguments.need("secret", args, "name")
  local known = world:call("secretsmanager", "describe_secret", { secret_id = name }, caller(world)).output
  if not known and not args.missing then
    known = call(world, "secretsmanager", "create_secret", { name = name, secret_string = args.value or world:id(24) })
  elseif known and args.value then
    call(world, "secretsmanager", "put_secret_value", { secret_id = name, secret_string = args.value })
  end
  local trouble = args.missing and "missing" or args.denied and "denied" or args.no_version and "no_version" or nil
  faults.set(world, "secret", known and known.name or name, trouble)
  return { arn = known and known.arn }
end

--- Puts a parameter.
function build.parameter(world, args)
  args = arguments.check("parameter", args, arguments.set "name value type")
  arguments.types("parameter", args, "string", "value type")
  return call(world, "ssm", "put_parameter", {
    name = arguments.need("parameter", args, "name"), value = arguments.need("parameter", args, "value"),
    type = args.type or "String", overwrite = true,
  })
end

-- ---- things that others do -----------------------------------------------------------------------

local function named(what, args)
  local name = args.service or args.app and ("%s-%s"):format(args.app, args.env or "dev")
  if not name then
    error(what .. " needs the field 'service'", 0)
  end
  return args.cluster or name, name
end

-- Members of a described task definition that can be registered again.
local definition_members = {
  "family", "task_role_arn", "execution_role_arn", "network_mode", "container_definitions", "volumes",
  "placement_constraints", "requires_compatibilities", "cpu", "memory", "runtime_platform", "ephemeral_storage",
  "proxy_configuration",
}

local function override(into, members)
  for name, value in util.sorted_pairs(members or {}) do
    into[name] = util.copy(value)
  end
end

-- What the new revision has of its own: members of the definition, of its first container, further containers.
local function change_definition(world, input, args)
  local first = input.container_definitions[1]
  first.image = build.image_uri(world, args.image or first.image)
  override(input, args.definition)
  override(first, args.change)
  for _, sidecar in ipairs(args.sidecars or {}) do
    local container = util.copy(first)
    container.port_mappings, container.secrets, container.health_check = {}, {}, nil
    override(container, sidecar)
    container.image = build.image_uri(world, container.image)
    table.insert(input.container_definitions, container)
  end
end

--- Somebody deploys: a new revision of the service's task definition with another image, and, if said, other
-- members of its first container (`change`) or of the `definition`, and `sidecars`; then an update.
function build.deploy(world, args)
  args = arguments.check("deploy", args, arguments.set "app env cluster service image change definition sidecars wait")
  arguments.types("deploy", args, "table", "change definition sidecars")
  local cluster, name = named("deploy", args)
  local found = call(world, "ecs", "describe_services", { cluster = cluster, services = { name } }).services[1]
  if not found then
    error(("deploy: there is no service %s in cluster %s"):format(name, cluster), 0)
  end
  local present = call(world, "ecs", "describe_task_definition",
    { task_definition = found.task_definition }).task_definition
  local input = {}
  for _, member in ipairs(definition_members) do
    input[member] = util.copy(present[member])
  end
  change_definition(world, input, args)
  local definition = call(world, "ecs", "register_task_definition", input).task_definition
  call(world, "ecs", "update_service", {
    cluster = cluster, service = name, task_definition = definition.task_definition_arn,
  })
  if args.wait then
    build.settle(world, { timeout = "60m" })
  end
  return { task_definition = definition.task_definition_arn }
end

--- Somebody else calls an operation. Its answer is kept under the name `keep`: see sim.kept.
function build.someone_calls(world, args)
  args = arguments.check("someone_calls", args, arguments.set "service operation input keep")
  arguments.types("someone_calls", args, "string", "keep")
  local service = arguments.need("someone_calls", args, "service")
  local input = kept.fill(world, args.input or {})
  local output = call(world, service, arguments.need("someone_calls", args, "operation"), input)
  if args.keep then
    kept.keep(world, args.keep, output)
  end
  return output
end

-- ---- time ----------------------------------------------------------------------------------------

local function is_steady(service)
  return service.deployments == 1 and service.running == service.desired and service.pending == 0
end

--- Moves the clock until every service is steady and every load balancer active.
function build.settle(world, args)
  args = arguments.check("settle", args or {}, arguments.set "timeout")
  local ends = world:now() + arguments.seconds("settle", args, "timeout", 1800)
  local ecs = require "sim.ecs"
  while world:now() < ends do
    local steady = true
    for _, service in ipairs(ecs.services(world)) do
      steady = steady and is_steady(service) and not ecs.deploying(world, service.cluster, service.service)
    end
    for _, balancer in ipairs(call(world, "elbv2", "describe_load_balancers", {}).load_balancers) do
      steady = steady and balancer.state.code == "active"
    end
    if steady then
      return { now = world:now() }
    end
    world:advance_to(math.min(world:now() + 5, ends))
  end
  error(("settle: not steady after %g seconds"):format(arguments.seconds("settle", args, "timeout", 1800)), 0)
end

return build
