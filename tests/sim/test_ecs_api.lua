--- The operations of ECS: names, paging, what is missing, what is refused and in which words.

local ecs = dofile "tests/sim/ecs_world.lua"
local t = ecs.t

local function refused(world, operation, input, code, text)
  local failure = t.raises(code, function()
    return world:call("ecs", operation, input, t.caller)
  end)
  if text then
    t.equal(failure.message, text)
  end
end

-- ---- clusters ------------------------------------------------------------------------------------

t.test("clusters are made once, listed, described, deleted when empty", function()
  local world = t.world()
  local made = ecs.call(world, "create_cluster", { cluster_name = "prod" }).cluster
  t.equal(made.cluster_arn, "arn:aws:ecs:eu-west-1:123456789012:cluster/prod")
  t.equal(made.settings, { { name = "containerInsights", value = "disabled" } })
  ecs.call(world, "create_cluster", { cluster_name = "prod" })
  t.equal(ecs.call(world, "list_clusters").cluster_arns, { made.cluster_arn })
  local answer = ecs.call(world, "describe_clusters", { clusters = { made.cluster_arn, "none" } })
  t.equal({ answer.clusters[1].status, #answer.clusters, answer.failures[1].reason }, { "ACTIVE", 1, "MISSING" })
  t.equal(ecs.call(world, "delete_cluster", { cluster = "prod" }).cluster.status, "INACTIVE")
  refused(world, "list_services", { cluster = "prod" }, "ClusterNotFoundException", "Cluster not found.")
  t.equal(ecs.call(world, "list_clusters").cluster_arns, {})
end)

t.test("a cluster with a service or a task cannot be deleted", function()
  local world = ecs.start { plain = true }
  refused(world, "delete_cluster", { cluster = "prod" }, "ClusterContainsServicesException")
  ecs.call(world, "delete_service", { cluster = "prod", service = "web", force = true })
  refused(world, "delete_cluster", { cluster = "prod" }, "ClusterContainsTasksException")
  t.advance(world, 300)
  ecs.call(world, "delete_cluster", { cluster = "prod" })
end)

t.test("settings and capacity providers of a cluster", function()
  local world = ecs.empty()
  refused(world, "update_cluster_settings",
    { cluster = "prod", settings = { { name = "containerInsights", value = "maybe" } } }, "InvalidParameterException")
  ecs.call(world, "update_cluster_settings",
    { cluster = "prod", settings = { { name = "containerInsights", value = "enhanced" } } })
  ecs.call(world, "put_cluster_capacity_providers", {
    cluster = "prod", capacity_providers = { "FARGATE", "FARGATE_SPOT" },
    default_capacity_provider_strategy = { { capacity_provider = "FARGATE_SPOT", weight = 1 } },
  })
  local cluster = ecs.call(world, "describe_clusters", { clusters = { "prod" }, include = { "SETTINGS", "STATISTICS" } }).clusters[1]
  t.equal({ cluster.settings[1].value, cluster.capacity_providers[2] }, { "enhanced", "FARGATE_SPOT" })
  refused(world, "put_cluster_capacity_providers",
    { cluster = "prod", capacity_providers = { "MINE" }, default_capacity_provider_strategy = {} },
    "InvalidParameterException")
  local service = ecs.call(world, "create_service", {
    cluster = "prod", service_name = "spot", task_definition = ecs.define(world, ecs.image "app:v1"), desired_count = 1,
    network_configuration = ecs.network(world),
  }).service
  t.equal({ service.launch_type, service.capacity_provider_strategy[1].capacity_provider }, { nil, "FARGATE_SPOT" })
  t.advance(world, 60)
  t.equal(ecs.tasks(world)[1].capacity_provider_name, "FARGATE_SPOT")
end)

-- ---- task definitions ----------------------------------------------------------------------------

t.test("revisions are numbered; what the service adds is there", function()
  local world = ecs.empty()
  t.equal(ecs.define(world, ecs.image "app:v1"), "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:1")
  ecs.define(world, ecs.image "app:v2", nil, { cpu = "0.5 vCPU", memory = "1 GB" })
  local shown = ecs.call(world, "describe_task_definition", { task_definition = "web" }).task_definition
  t.equal({ shown.revision, shown.cpu, shown.memory, shown.status }, { 2, "512", "1024", "ACTIVE" })
  t.equal(shown.container_definitions[1].port_mappings, { { container_port = 3000, host_port = 3000, protocol = "tcp" } })
  t.equal(shown.compatibilities, { "EC2", "FARGATE" })
  t.equal(shown.registered_by, t.caller.arn)
end)

t.test("Fargate's demands on a task definition", function()
  local world = ecs.empty()
  local image = ecs.image "app:v1"
  local function define(container, top, text)
    local ok, problem = pcall(ecs.define, world, image, container, top)
    t.equal(ok, false, "registered")
    t.contains(problem, text)
  end
  define(nil, { memory = "3000" }, "No Fargate configuration exists for given values.")
  define(nil, { cpu = "300" }, "No Fargate configuration exists for given values.")
  define(nil, { network_mode = "bridge" }, "Fargate only supports network mode")
  define(nil, { container_definitions = {} }, "Container list cannot be empty.")
  define({ essential = false }, nil, "must be essential")
  define({ health_check = { command = { "CMD", "true" }, interval = 1 } }, nil, "interval must be between 5 and 300")
  refused(world, "register_task_definition", {
    family = "web", network_mode = "awsvpc", requires_compatibilities = { "FARGATE" }, cpu = "256", memory = "512",
    container_definitions = { { name = "web", image = image } },
  }, "ClientException", "Fargate requires task definition to have execution role ARN to support ECR images.")
  refused(world, "register_task_definition", { family = "no/good", container_definitions = {} }, "ClientException")
end)

t.test("listing, deregistering and deleting revisions", function()
  local world = ecs.empty()
  for _ = 1, 5 do
    ecs.define(world, ecs.image "app:v1")
  end
  local first = ecs.call(world, "list_task_definitions", { family_prefix = "web", max_results = 2 })
  t.equal({ #first.task_definition_arns, first.next_token ~= nil }, { 2, true })
  local rest = ecs.call(world, "list_task_definitions", { max_results = 10, next_token = first.next_token })
  t.equal({ #rest.task_definition_arns, rest.next_token }, { 3, nil })
  t.truthy(ecs.call(world, "list_task_definitions", { sort = "DESC" }).task_definition_arns[1]:match("web:5$"))
  refused(world, "list_task_definitions", { next_token = "nonsense" }, "InvalidParameterException")
  t.equal(ecs.call(world, "deregister_task_definition", { task_definition = "web:5" }).task_definition.status, "INACTIVE")
  t.equal(ecs.call(world, "describe_task_definition", { task_definition = "web" }).task_definition.revision, 4)
  t.equal(ecs.call(world, "list_task_definitions", { status = "INACTIVE" }).task_definition_arns[1]:match(":(%d+)$"), "5")
  local deleted = ecs.call(world, "delete_task_definitions", { task_definitions = { "web:5", "web:1", "web:9" } })
  t.equal({ deleted.task_definitions[1].status, #deleted.failures }, { "DELETE_IN_PROGRESS", 2 })
  t.equal(ecs.call(world, "list_task_definition_families", { family_prefix = "w" }).families, { "web" })
  refused(world, "describe_task_definition", { task_definition = "none" }, "ClientException",
    "Unable to describe task definition.")
end)

-- ---- services ------------------------------------------------------------------------------------

t.test("names and ARNs find the same service; unknown ones are missing", function()
  local world = ecs.start { plain = true }
  local arn = "arn:aws:ecs:eu-west-1:123456789012:service/prod/web"
  for _, input in ipairs {
    { cluster = "prod", services = { "web" } }, { cluster = "prod", services = { arn } }, { services = { arn } },
    { cluster = "arn:aws:ecs:eu-west-1:123456789012:cluster/prod", services = { "web" } },
  } do
    t.equal(ecs.call(world, "describe_services", input).services[1].service_arn, arn)
  end
  local answer = ecs.call(world, "describe_services", { cluster = "prod", services = { "web", "none" } })
  t.equal(answer.failures, { { arn = "arn:aws:ecs:eu-west-1:123456789012:service/prod/none", reason = "MISSING" } })
  ecs.call(world, "create_cluster", { cluster_name = "other" })
  refused(world, "describe_services", { cluster = "other", services = { arn } }, "InvalidParameterException",
    "Identifier is for cluster prod. Your cluster is other")
  refused(world, "describe_services", { cluster = "none", services = { "web" } }, "ClusterNotFoundException")
  refused(world, "update_service", { cluster = "prod", service = "none" }, "ServiceNotFoundException", "Service not found.")
end)

t.test("ten services can be described at once, eleven cannot", function()
  local world = ecs.empty()
  local names = {}
  for index = 1, 11 do
    names[index] = "s" .. index
  end
  refused(world, "describe_services", { cluster = "prod", services = names }, "InvalidParameterException")
  names[11] = nil
  t.equal(#ecs.call(world, "describe_services", { cluster = "prod", services = names }).failures, 10)
  refused(world, "describe_services", { cluster = "prod", services = {} }, "InvalidParameterException")
end)

t.test("services are listed in pages", function()
  local world = ecs.empty()
  local definition = ecs.define(world, ecs.image "app:v1")
  for index = 1, 25 do
    ecs.call(world, "create_service", {
      cluster = "prod", service_name = ("s%02d"):format(index), task_definition = definition, desired_count = 0,
      launch_type = "FARGATE", network_configuration = ecs.network(world),
    })
  end
  local seen, token, pages = {}, nil, 0
  repeat
    local answer = ecs.call(world, "list_services", { cluster = "prod", next_token = token })
    for _, arn in ipairs(answer.service_arns) do
      t.equal(seen[arn], nil, "an ARN came twice")
      seen[arn] = true
    end
    token, pages = answer.next_token, pages + 1
  until not token
  t.equal(pages, 3)
  t.equal(#ecs.call(world, "list_services", { cluster = "prod", max_results = 100 }).service_arns, 25)
  refused(world, "list_services", { cluster = "prod", max_results = 101 }, "InvalidParameterException")
end)

local function creation(world, more)
  local input = {
    cluster = "prod", service_name = "web", task_definition = "web", desired_count = 1, launch_type = "FARGATE",
    network_configuration = ecs.network(world),
  }
  for name, value in pairs(more or {}) do
    input[name] = value
  end
  return input
end

t.test("creating the same service again gives it; another one of the name is refused", function()
  local world = ecs.empty()
  ecs.define(world, ecs.image "app:v1")
  local first = ecs.call(world, "create_service", creation(world)).service
  t.equal(ecs.call(world, "create_service", creation(world)).service.deployments[1].id, first.deployments[1].id)
  refused(world, "create_service", creation(world, { desired_count = 2 }), "InvalidParameterException",
    "Creation of service was not idempotent.")
end)

t.test("what a service may not be", function()
  local world = ecs.empty()
  ecs.define(world, ecs.image "app:v1")
  local group = ecs.balancer(world)
  local invalid = "InvalidParameterException"
  local function wrong(more, code, text)
    refused(world, "create_service", creation(world, more), code, text)
  end
  local function balanced(name, port, arn)
    return { load_balancers = { { target_group_arn = arn or group, container_name = name, container_port = port } } }
  end
  wrong({ task_definition = "none" }, "ClientException", "TaskDefinition not found.")
  wrong({ network_configuration = {} }, invalid,
    "Network Configuration must be provided when networkMode 'awsvpc' is specified.")
  wrong({ network_configuration = { awsvpc_configuration = { subnets = { "subnet-1" } } } }, invalid,
    "Error retrieving subnet information for [subnet-1]: The subnet ID 'subnet-1' does not exist "
    .. "(ErrorCode: InvalidSubnetID.NotFound)")
  wrong({ capacity_provider_strategy = { { capacity_provider = "FARGATE" } } }, invalid)
  wrong({ health_check_grace_period_seconds = 5 }, invalid)
  wrong({ deployment_configuration = { minimum_healthy_percent = 100, maximum_percent = 100 } }, invalid)
  wrong({ deployment_configuration = { minimum_healthy_percent = 101 } }, invalid)
  wrong({ deployment_configuration = { maximum_percent = 99 } }, invalid)
  wrong(balanced("app", 3000), invalid, "The container app does not exist in the task definition.")
  wrong(balanced("web", 80), invalid, "The container web did not have a container port 80 defined.")
  wrong(balanced("web", 3000, group .. "0"), invalid)
  wrong({ desired_count = -1 }, invalid)
  wrong({ service_name = "no good" }, invalid)
  wrong({ launch_type = "CLOUD" }, invalid)
  wrong({ scheduling_strategy = "DAEMON" }, "NotSimulated")
  wrong({ deployment_controller = { type = "CODE_DEPLOY" } }, "NotSimulated")
  wrong({ deployment_configuration = { strategy = "GREEN" } }, invalid, "GREEN is not a valid value for strategy.")
  ecs.call(world, "deregister_task_definition", { task_definition = "web:1" })
  wrong({ task_definition = "web:1" }, "ClientException", "TaskDefinition is inactive")
  t.equal(ecs.call(world, "list_services", { cluster = "prod" }).service_arns, {})
end)

t.test("defaults of a service", function()
  local world = ecs.empty()
  ecs.define(world, ecs.image "app:v1")
  local service = ecs.call(world, "create_service", creation(world)).service
  t.equal(service.deployment_configuration, {
    maximum_percent = 200, minimum_healthy_percent = 100, strategy = "ROLLING", bake_time_in_minutes = 0,
    deployment_circuit_breaker = { enable = false, rollback = false },
  })
  t.equal({ service.platform_version, service.platform_family, service.scheduling_strategy, service.status },
    { "1.4.0", "Linux", "REPLICA", "ACTIVE" })
  t.equal(service.health_check_grace_period_seconds, nil)
  t.equal(service.role_arn,
    "arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS")
end)

t.test("a service must be scaled down, or forced, to be deleted; then it drains and is inactive", function()
  local world = ecs.start { delay = 120 }
  refused(world, "delete_service", { cluster = "prod", service = "web" }, "InvalidParameterException",
    "The service cannot be stopped while it is scaled above 0.")
  local answer = ecs.call(world, "delete_service", { cluster = "prod", service = "web", force = true }).service
  t.equal({ answer.status, answer.desired_count }, { "DRAINING", 0 })
  refused(world, "update_service", { cluster = "prod", service = "web", desired_count = 1 },
    "ServiceNotActiveException", "Service was not ACTIVE.")
  refused(world, "create_service", creation(world), "InvalidParameterException",
    "Unable to Start a service that is still Draining.")
  t.advance(world, 60)
  t.equal(ecs.service(world).status, "DRAINING")
  t.advance(world, 400)
  local gone = ecs.service(world)
  t.equal({ gone.status, #gone.deployments, gone.running_count }, { "INACTIVE", 0, 0 })
  t.equal(ecs.call(world, "list_services", { cluster = "prod" }).service_arns, {})
  ecs.call(world, "create_service", creation(world))
  t.advance(world, 300)
  t.equal(ecs.service(world).running_count, 1)
end)

-- ---- tasks ---------------------------------------------------------------------------------------

t.test("tasks are listed by what is wanted of them, by service, family and starter, in pages", function()
  local world = ecs.start { desired = 3 }
  local run = ecs.call(world, "run_task", {
    cluster = "prod", launch_type = "FARGATE", task_definition = "web", count = 2, started_by = "me",
    network_configuration = ecs.network(world),
  })
  t.equal({ #run.tasks, #run.failures, run.tasks[1].group }, { 2, 0, "family:web" })
  local function count(input)
    input.cluster = "prod"
    return #ecs.call(world, "list_tasks", input).task_arns
  end
  t.equal({ count {}, count { service_name = "web" }, count { family = "web" }, count { started_by = "me" } }, { 5, 3, 5, 2 })
  t.equal(count { family = "other" }, 0)
  ecs.call(world, "stop_task", { cluster = "prod", task = run.tasks[1].task_arn })
  t.equal({ count {}, count { desired_status = "STOPPED" } }, { 4, 1 })
  local page = ecs.call(world, "list_tasks", { cluster = "prod", max_results = 3 })
  t.equal(#page.task_arns, 3)
  t.equal(#ecs.call(world, "list_tasks", { cluster = "prod", max_results = 3, next_token = page.next_token }).task_arns, 1)
  refused(world, "list_tasks", { cluster = "prod", service_name = "none" }, "ServiceNotFoundException")
end)

t.test("tasks that are not there, and requests that ask for none or too many", function()
  local world = ecs.empty()
  local answer = ecs.call(world, "describe_tasks", { cluster = "prod", tasks = { "0123" } })
  t.equal(answer.failures, { { arn = "arn:aws:ecs:eu-west-1:123456789012:task/prod/0123", reason = "MISSING" } })
  refused(world, "describe_tasks", { cluster = "prod", tasks = {} }, "InvalidParameterException", "Tasks cannot be empty.")
  refused(world, "stop_task", { cluster = "prod", task = "0123" }, "InvalidParameterException",
    "The referenced task was not found.")
  refused(world, "run_task", { cluster = "prod", task_definition = "web", count = 11 }, "InvalidParameterException")
  refused(world, "run_task", { cluster = "prod", task_definition = "web" }, "ClientException", "TaskDefinition not found.")
end)

t.test("execute command is refused cleanly", function()
  local world = ecs.empty()
  ecs.define(world, ecs.image "app:v1")
  local function run(enabled)
    return ecs.call(world, "run_task", {
      cluster = "prod", launch_type = "FARGATE", task_definition = "web", network_configuration = ecs.network(world),
      enable_execute_command = enabled,
    }).tasks[1].task_arn
  end
  local function execute(task)
    return { cluster = "prod", task = task, command = "sh", interactive = true }
  end
  refused(world, "execute_command", execute(run(false)), "InvalidParameterException")
  refused(world, "execute_command", execute(run(true)), "TargetNotConnectedException")
  refused(world, "execute_command", execute("none"), "InvalidParameterException")
end)

t.test("Fargate has no container instances", function()
  local world = ecs.empty()
  ecs.define(world, ecs.image "app:v1")
  t.equal(ecs.call(world, "list_container_instances", { cluster = "prod" }).container_instance_arns, {})
  local started = ecs.call(world, "start_task",
    { cluster = "prod", task_definition = "web", container_instances = { "i1" } })
  t.equal({ #started.tasks, started.failures[1].reason }, { 0, "MISSING" })
end)

-- ---- the rest ------------------------------------------------------------------------------------

t.test("tags of everything that has some", function()
  local world = ecs.start { plain = true }
  local service = ecs.service(world)
  for _, arn in ipairs { service.service_arn, service.cluster_arn, service.task_definition, ecs.tasks(world)[1].task_arn } do
    ecs.call(world, "tag_resource", { resource_arn = arn, tags = { { key = "a", value = "1" }, { key = "b", value = "2" } } })
    ecs.call(world, "tag_resource", { resource_arn = arn, tags = { { key = "a", value = "3" } } })
    ecs.call(world, "untag_resource", { resource_arn = arn, tag_keys = { "b" } })
    t.equal(ecs.call(world, "list_tags_for_resource", { resource_arn = arn }).tags, { { key = "a", value = "3" } })
  end
  t.equal(ecs.service(world).tags, nil, "tags that nobody asked for")
  refused(world, "list_tags_for_resource", { resource_arn = service.service_arn .. "x" }, "InvalidParameterException")
end)

t.test("account settings", function()
  local world = t.world()
  t.equal(ecs.call(world, "list_account_settings").settings, {})
  ecs.call(world, "put_account_setting_default", { name = "containerInsights", value = "enabled" })
  t.equal(ecs.call(world, "list_account_settings", { name = "containerInsights" }).settings[1].value, "enabled")
  t.equal(ecs.call(world, "create_cluster", { cluster_name = "new" }).cluster.settings[1].value, "enabled")
  t.equal(#ecs.call(world, "list_account_settings", { effective_settings = true }).settings > 5, true)
  refused(world, "put_account_setting", { name = "none", value = "x" }, "InvalidParameterException")
end)

t.test("service deployments and revisions can be listed, filtered and described", function()
  local world = ecs.start {}
  local first = world:now()
  ecs.update(world, { force_new_deployment = true })
  local function list(more)
    local input = { cluster = "prod", service = "web" }
    for name, value in pairs(more or {}) do
      input[name] = value
    end
    return ecs.call(world, "list_service_deployments", input)
  end
  t.equal(#list().service_deployments, 2)
  t.equal(list({ status = { "SUCCESSFUL" } }).service_deployments[1].created_at < first, true)
  t.equal(#list({ created_at = { after = first } }).service_deployments, 1)
  t.equal(#list({ max_results = 1 }).service_deployments, 1)
  local arn = list().service_deployments[1].service_deployment_arn
  t.truthy(arn:match("^arn:aws:ecs:eu%-west%-1:123456789012:service%-deployment/prod/web/[%w_-]+$"))
  t.equal(#arn:match("[^/]+$"), 21)
  t.advance(world, 60)
  local answer = ecs.call(world, "describe_service_deployments", { service_deployment_arns = { arn, arn .. "x" } })
  local shown = answer.service_deployments[1]
  t.equal({ shown.status, shown.target_service_revision.requested_task_count, shown.target_service_revision.running_task_count },
    { "IN_PROGRESS", 1, 1 })
  t.equal({ shown.source_service_revisions[1].running_task_count, shown.deployment_circuit_breaker.status }, { 1, "DISABLED" })
  t.equal(answer.failures, { { arn = arn .. "x", reason = "MISSING" } })
  local revisions = ecs.call(world, "describe_service_revisions",
    { service_revision_arns = { shown.target_service_revision.arn, "arn:none" } })
  t.equal({ revisions.service_revisions[1].task_definition, #revisions.failures }, { ecs.service(world).task_definition, 1 })
  refused(world, "continue_service_deployment", { service_deployment_arn = arn, hook_id = "h1" }, "InvalidParameterException",
    "Invalid hookId: hookId must follow the format: ecs-{hookType}-{id}")
  refused(world, "continue_service_deployment", { service_deployment_arn = arn .. "x", hook_id = "h1" },
    "ServiceDeploymentNotFoundException")
end)

t.test("an operation that is not there is named", function()
  refused(t.world(), "create_task_set", {}, "NotSimulated", "The simulator does not have ecs.create_task_set.")
end)

t.test("the doors for auto scaling and metrics", function()
  local world = ecs.start { desired = 2 }
  local doors = require "sim.ecs"
  t.equal(doors.deploying(world, "prod", "web"), false)
  doors.set_desired_count(world, "prod", "web", 4)
  t.equal(doors.deploying(world, "prod", "web"), false, "scaling is no deployment")
  t.advance(world, 300)
  local item = doors.services(world)[1]
  t.equal({ item.cluster, item.service, item.desired, item.running, item.pending, item.deployments },
    { "prod", "web", 4, 4, 0, 1 })
  t.truthy(item.load.cpu and item.load.memory)
  require("sim.faults").set(world, "load", "web", { cpu = 80, memory = 40 })
  t.equal(doors.services(world)[1].load, { cpu = 80.0, memory = 40 })
  doors.set_desired_count(world, "prod", "web", 8)
  t.advance(world, 300)
  t.equal(doors.services(world)[1].load, { cpu = 40.0, memory = 40 }, "eight tasks share the work of four")
  require("sim.faults").clear(world)
  ecs.update(world, { force_new_deployment = true })
  t.equal(doors.deploying(world, "prod", "web"), true)
  t.raises("ServiceNotFoundException", function()
    return doors.set_desired_count(world, "prod", "none", 1)
  end)
end)

t.test("events are kept newest first, a hundred at most", function()
  local world = ecs.start { plain = true }
  for _ = 1, 40 do
    ecs.update(world, { force_new_deployment = true })
    t.advance(world, 200)
  end
  local events = ecs.service(world).events
  t.equal(#events, 100)
  for index = 2, #events do
    t.equal(events[index].created_at <= events[index - 1].created_at, true)
  end
end)

t.finish()
