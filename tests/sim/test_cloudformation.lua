--- Stacks: templates, change sets, the order of events, and what becomes of the resources.

local t = dofile "tests/sim/harness.lua"
local faults = require "sim.faults"
local intrinsics = require "sim.cloudformation.intrinsics"
local json = require "sim.json"
local properties = require "sim.cloudformation.properties"

local capabilities = { "CAPABILITY_NAMED_IAM" }

-- ---- helpers -------------------------------------------------------------------------------------

local function call(world, operation, input)
  return t.call(world, "cloudformation", operation, input)
end

local function fails(world, code, operation, input)
  return t.raises(code, function()
    return world:call("cloudformation", operation, input, t.caller)
  end)
end

local function encoded(document)
  return type(document) == "string" and document or json.encode(document)
end

local function create(world, document, more)
  local input = more or {}
  input.stack_name, input.template_body, input.capabilities = "app", encoded(document), capabilities
  return call(world, "create_stack", input)
end

local function update(world, document, more)
  local input = more or {}
  input.stack_name, input.template_body, input.capabilities = "app", encoded(document), capabilities
  return call(world, "update_stack", input)
end

local function stack_of(world, name)
  return call(world, "describe_stacks", { stack_name = name or "app" }).stacks[1]
end

local function status(world, name)
  return stack_of(world, name).stack_status
end

-- The events after a time, oldest first: "Logical STATUS" each; and their reasons by that text.
local function events(world, name, since)
  local lines, reasons, token, all = {}, {}, nil, {}
  repeat
    local page = call(world, "describe_stack_events", { stack_name = name or "app", next_token = token })
    table.move(page.stack_events, 1, #page.stack_events, #all + 1, all)
    token = page.next_token
  until not token
  for index = #all, 1, -1 do
    local event = all[index]
    if event.timestamp >= (since or 0) then
      lines[#lines + 1] = ("%s %s"):format(event.logical_resource_id, event.resource_status)
      reasons[lines[#lines]] = event.resource_status_reason or reasons[lines[#lines]]
    end
  end
  return lines, reasons
end

local function wait_until(world, wanted, seconds)
  local last = world:now() + (seconds or 20000)
  while status(world) ~= wanted do
    local at = world:next_event()
    if not at or at > last then
      error(("the stack is %s, not %s"):format(status(world), wanted), 2)
    end
    world:advance_to(at)
  end
end

local function log_group(name, days)
  return { Type = "AWS::Logs::LogGroup", Properties = { LogGroupName = name, RetentionInDays = days } }
end

local function parameter(value, depends)
  return { Type = "AWS::SSM::Parameter", Properties = { Type = "String", Value = value }, DependsOn = depends }
end

local function output(world, key)
  for _, item in ipairs(stack_of(world).outputs) do
    if item.output_key == key then
      return item.output_value
    end
  end
end

-- The stack of a service as CDK writes it, without a load balancer.
local function service_template(world, image, more)
  local subnet = t.call(world, "ec2", "describe_subnets").subnets[1].subnet_id
  local resources = {
    Cluster = { Type = "AWS::ECS::Cluster", Properties = { ClusterName = "prod" } },
    Task = { Type = "AWS::ECS::TaskDefinition", Properties = {
      Family = "web", Cpu = 256, Memory = "512", NetworkMode = "awsvpc", RequiresCompatibilities = { "FARGATE" },
      ContainerDefinitions = { { Name = "app", Image = image, PortMappings = { { ContainerPort = 80 } } } },
    } },
    Service = { Type = "AWS::ECS::Service", Properties = {
      ServiceName = "web", Cluster = { Ref = "Cluster" }, TaskDefinition = { Ref = "Task" }, LaunchType = "FARGATE",
      DesiredCount = 1, NetworkConfiguration = { AwsvpcConfiguration = { Subnets = { subnet } } },
      DeploymentConfiguration = { DeploymentCircuitBreaker = { Enable = true, Rollback = true } },
    } },
  }
  for name, resource in pairs(more or {}) do
    resources[name] = resource
  end
  return { Resources = resources, Outputs = { Name = { Value = { ["Fn::GetAtt"] = { "Service", "Name" } } } } }
end

local function running_image(world)
  local service = t.call(world, "ecs", "describe_services", { cluster = "prod", services = { "web" } }).services[1]
  local found = t.call(world, "ecs", "describe_task_definition", { task_definition = service.task_definition })
  return found.task_definition.container_definitions[1].image
end

-- ---- creating ------------------------------------------------------------------------------------

t.test("resources are made in the order of their needs, with the events of each", function()
  local world = t.world { seed = 1 }
  create(world, { Resources = { A = parameter({ Ref = "B" }), B = log_group("b", "30") } })
  t.equal(status(world), "CREATE_IN_PROGRESS")
  wait_until(world, "CREATE_COMPLETE")
  local lines, reasons = events(world)
  t.equal(lines, {
    "app CREATE_IN_PROGRESS", "B CREATE_IN_PROGRESS", "B CREATE_IN_PROGRESS", "B CREATE_COMPLETE",
    "A CREATE_IN_PROGRESS", "A CREATE_IN_PROGRESS", "A CREATE_COMPLETE", "app CREATE_COMPLETE",
  })
  t.equal(reasons["app CREATE_IN_PROGRESS"], "User Initiated")
  t.equal(reasons["B CREATE_IN_PROGRESS"], "Resource creation Initiated")
  local group = t.call(world, "logs", "describe_log_groups", { log_group_name_prefix = "b" }).log_groups[1]
  t.equal(group.retention_in_days, 30)
end)

t.test("events come newest first, one hundred a page, with what they are about", function()
  local world, resources = t.world { seed = 1 }, {}
  for index = 1, 40 do
    resources["P" .. index] = parameter("x")
  end
  create(world, { Resources = resources })
  wait_until(world, "CREATE_COMPLETE")
  local page = call(world, "describe_stack_events", { stack_name = "app" })
  t.equal(#page.stack_events, 100)
  t.equal(page.stack_events[1].resource_status, "CREATE_COMPLETE")
  t.equal(page.stack_events[1].physical_resource_id, stack_of(world).stack_id)
  t.equal(#call(world, "describe_stack_events", { stack_name = "app", next_token = page.next_token }).stack_events, 22)
  local event = page.stack_events[2]
  t.contains(event.event_id, event.logical_resource_id .. "-CREATE_COMPLETE-2026-01-01T00:00:")
  t.contains(event.resource_properties, '"Value":"x"')
end)

t.test("a failing resource cancels its siblings and the creation is rolled back", function()
  local world = t.world { seed = 1 }
  t.call(world, "logs", "create_log_group", { log_group_name = "taken" })
  create(world, { Resources = {
    Bad = log_group("taken"), Good = log_group("good"), After = parameter("x", "Slow"),
    Slow = { Type = "AWS::IAM::Role", Properties = { RoleName = "slow", AssumeRolePolicyDocument = { Version = "1" } } },
  } })
  wait_until(world, "ROLLBACK_COMPLETE")
  local lines, reasons = events(world)
  t.contains(reasons["Bad CREATE_FAILED"], 'Resource handler returned message: "')
  t.contains(reasons["Bad CREATE_FAILED"], "HandlerErrorCode: AlreadyExists)")
  t.equal(reasons["Slow CREATE_FAILED"], "Resource creation cancelled")
  t.equal(reasons["app ROLLBACK_IN_PROGRESS"],
    "The following resource(s) failed to create: [Bad, Slow, Good]. Rollback requested by user.")
  t.contains(table.concat(lines, "\n"), "Good DELETE_COMPLETE")
  t.equal(lines[#lines], "app ROLLBACK_COMPLETE")
  local names = {}
  for _, group in ipairs(t.call(world, "logs", "describe_log_groups").log_groups) do
    names[#names + 1] = group.log_group_name
  end
  t.equal(names, { "taken" })
  local message = fails(world, "ValidationError", "update_stack", {
    stack_name = "app", template_body = encoded { Resources = { A = parameter("x") } },
  }).message
  t.equal(message, ("Stack:%s is in ROLLBACK_COMPLETE state and can not be updated."):format(stack_of(world).stack_id))
  call(world, "delete_stack", { stack_name = "app" })
  t.advance(world, 60)
  t.equal(fails(world, "ValidationError", "describe_stacks", { stack_name = "app" }).message,
    "Stack with id app does not exist")
end)

t.test("without rollback a failed stack stays as it is, and can be rolled back on request", function()
  local world = t.world { seed = 1 }
  t.call(world, "logs", "create_log_group", { log_group_name = "taken" })
  create(world, { Resources = { Bad = log_group("taken") } }, { disable_rollback = true })
  wait_until(world, "CREATE_FAILED")
  t.equal(stack_of(world).stack_status_reason, "The following resource(s) failed to create: [Bad]. ")
  call(world, "rollback_stack", { stack_name = "app" })
  wait_until(world, "ROLLBACK_COMPLETE")
  fails(world, "ValidationError", "rollback_stack", { stack_name = "app" })
end)

t.test("resources of unknown types are taken as they are", function()
  local world = t.world { seed = 1 }
  create(world, { Resources = {
    Vpce = { Type = "AWS::EC2::VPCEndpoint", Properties = { ServiceName = "s3" } },
    Thing = { Type = "Custom::Thing", Properties = { ServiceToken = "x" } },
    Name = parameter { ["Fn::Join"] = { "/", { { Ref = "Vpce" }, { ["Fn::GetAtt"] = { "Thing", "Any" } } } } },
  } })
  wait_until(world, "CREATE_COMPLETE")
  local found = call(world, "describe_stack_resource", { stack_name = "app", logical_resource_id = "Vpce" })
  t.contains(found.stack_resource_detail.physical_resource_id, "vpce-")
  t.equal(#call(world, "list_stack_resources", { stack_name = "app" }).stack_resource_summaries, 3)
  local id = found.stack_resource_detail.physical_resource_id
  t.equal(#call(world, "describe_stack_resources", { physical_resource_id = id }).stack_resources, 3)
end)

t.test("a required property that is missing fails the resource, not the simulator", function()
  local world = t.world { seed = 1 }
  create(world, { Resources = { Task = { Type = "AWS::ECS::TaskDefinition" } } })
  wait_until(world, "ROLLBACK_COMPLETE")
  local _, reasons = events(world)
  t.contains(reasons["Task CREATE_FAILED"], "required key [ContainerDefinitions] not found")
  world = t.world { seed = 1 }
  create(world, { Resources = { G = { Type = "AWS::ElasticLoadBalancingV2::TargetGroup", Properties = { Port = "x" } } } })
  wait_until(world, "ROLLBACK_COMPLETE")
end)

-- ---- templates -----------------------------------------------------------------------------------

t.test("functions, conditions and parameters give their values", function()
  local world = t.world { seed = 1 }
  t.call(world, "ssm", "put_parameter", { name = "/image", type = "String", value = "v7" })
  local function out(value) return { Value = value } end
  create(world, {
    Parameters = {
      Env = { Type = "String", Default = "prod" }, Zones = { Type = "CommaDelimitedList", Default = "a, b,c" },
      Image = { Type = "AWS::SSM::Parameter::Value<String>", Default = "/image" },
      Secret = { Type = "String", NoEcho = true },
    },
    Mappings = { Sizes = { prod = { cpu = "512" } } },
    Conditions = {
      IsProd = { ["Fn::Equals"] = { { Ref = "Env" }, "prod" } }, IsNot = { ["Fn::Not"] = { { Condition = "IsProd" } } },
    },
    Resources = {
      P = parameter("x"), Q = { Type = "AWS::SSM::Parameter", Condition = "IsNot", Properties = {
        Type = "String", Value = "y" } },
    },
    Outputs = {
      Join = out { ["Fn::Join"] = { "-", { { Ref = "AWS::Region" }, { Ref = "AWS::AccountId" } } } },
      Sub = out { ["Fn::Sub"] = { "${P.Value}-${Own}-${!Raw}", { Own = { Ref = "Env" } } } },
      Select = out { ["Fn::Select"] = { "1", { Ref = "Zones" } } },
      Split = out { ["Fn::Select"] = { 2, { ["Fn::Split"] = { "/", "a/b/c" } } } },
      If = out { ["Fn::If"] = { "IsProd", "yes", "no" } }, Image = out { Ref = "Image" },
      Map = out { ["Fn::FindInMap"] = { "Sizes", { Ref = "Env" }, "cpu" } },
      Stored = out "{{resolve:ssm:/image}}", Zone = out { ["Fn::Select"] = { 0, { ["Fn::GetAZs"] = "" } } },
      Base = out { ["Fn::Base64"] = "hi" }, Left = { Condition = "IsNot", Value = "never" },
    },
  }, { parameters = { { parameter_key = "Secret", parameter_value = "s3cret" } } })
  wait_until(world, "CREATE_COMPLETE")
  local want = {
    Join = "eu-west-1-123456789012", Sub = "x-prod-${Raw}", Select = "b", Split = "c", If = "yes", Image = "v7",
    Map = "512", Stored = "v7", Zone = "eu-west-1a", Base = "aGk=",
  }
  for key, value in pairs(want) do
    t.equal(output(world, key), value, key)
  end
  t.equal(output(world, "Left"), nil)
  t.equal(#call(world, "list_stack_resources", { stack_name = "app" }).stack_resource_summaries, 1)
  for _, shown in ipairs(stack_of(world).parameters) do
    t.truthy(shown.parameter_value ~= "s3cret", "a hidden value is shown")
    t.equal(shown.resolved_value, shown.parameter_key == "Image" and "v7" or nil)
  end
end)

t.test("templates that are none are refused by name", function()
  local world = t.world { seed = 1 }
  local function message(body, more)
    local input = more or {}
    input.stack_name, input.template_body = "app", encoded(body)
    return fails(world, "ValidationError", "create_stack", input).message
  end
  t.contains(message "Resources:\n  A:\n", "templates in YAML are not simulated: convert the template to JSON")
  t.contains(message '{"Resources":', "JSON not well-formed")
  t.contains(message '{"Resources":{}}', "At least one Resources member must be defined")
  t.contains(message '{"Resources":{"A":{"Type":"AWS::S3::Bucket","Properties":{"X":null}}}}', "'null' values are not allowed")
  t.contains(message { Resources = { A = parameter { Ref = "Nobody" } } }, "Unresolved resource dependencies [Nobody]")
  t.contains(message { Resources = { A = parameter { Ref = "B" }, B = parameter { Ref = "A" } } },
    "Circular dependency between resources: [A, B]")
  t.contains(message { Transform = "AWS::Serverless-2016-10-31", Resources = { A = parameter "x" } },
    "Transforms are not simulated")
  t.contains(message { Parameters = { P = { Type = "String" } }, Resources = { A = parameter "x" } },
    "Parameters: [P] must have values")
  t.contains(message({ Resources = { A = parameter "x" } }, { parameters = { { parameter_key = "Z" } } }),
    "Parameters: [Z] do not exist in the template")
  t.contains(message((" "):rep(51201)), "length less than or equal to 51200")
  fails(world, "ValidationError", "create_stack", { stack_name = "app" })
  fails(world, "ValidationError", "create_stack", { stack_name = "1app", template_body = "{}" })
  t.equal(call(world, "list_stacks").stack_summaries, {})
end)

t.test("roles need a capability, named ones the stronger", function()
  local world = t.world { seed = 1 }
  local function body(name)
    return encoded { Resources = { R = { Type = "AWS::IAM::Role", Properties = {
      RoleName = name, AssumeRolePolicyDocument = { Version = "1" } } } } }
  end
  t.equal(fails(world, "InsufficientCapabilitiesException", "create_stack", {
    stack_name = "app", template_body = body(),
  }).message, "Requires capabilities : [CAPABILITY_IAM]")
  t.equal(fails(world, "InsufficientCapabilitiesException", "create_stack", {
    stack_name = "app", template_body = body("r"), capabilities = { "CAPABILITY_IAM" },
  }).message, "Requires capabilities : [CAPABILITY_NAMED_IAM]")
  t.equal(call(world, "validate_template", { template_body = body() }).capabilities, { "CAPABILITY_IAM" })
end)

t.test("templates are read from our buckets, by path and by host", function()
  local world = t.world { seed = 1 }
  local here = { location_constraint = "eu-west-1" }
  t.call(world, "s3", "create_bucket", { bucket = "assets", create_bucket_configuration = here })
  local body = encoded { Description = "from a bucket", Resources = { A = parameter "x" } }
  t.call(world, "s3", "put_object", { bucket = "assets", key = "a b.json", body = body })
  for _, url in ipairs {
    "http://127.0.0.1:4566/assets/a%20b.json", "http://localhost:4566/assets/a%20b.json?versionId=1",
    "https://s3.eu-west-1.amazonaws.com/assets/a%20b.json", "https://assets.s3.eu-west-1.amazonaws.com/a%20b.json",
    "http://assets.localhost:4566/a%20b.json",
  } do
    t.equal(call(world, "validate_template", { template_url = url }).description, "from a bucket", url)
  end
  t.contains(fails(world, "ValidationError", "validate_template", {
    template_url = "http://127.0.0.1:4566/none/x",
  }).message, "S3 error: The specified bucket does not exist")
  t.contains(fails(world, "ValidationError", "validate_template", {
    template_url = "http://127.0.0.1:4566/assets/x",
  }).message, "S3 error: The specified key does not exist.")
  fails(world, "ValidationError", "validate_template", { template_url = "ftp://x" })
end)

-- ---- updating ------------------------------------------------------------------------------------

t.test("an update changes what differs, and cleans up what is gone", function()
  local world = t.world { seed = 1 }
  create(world, { Resources = { A = log_group("one", 1), B = log_group("b"), C = parameter("c"), D = parameter("d") } })
  wait_until(world, "CREATE_COMPLETE")
  local since = world:now()
  t.advance(world, 1)
  update(world, { Resources = { A = log_group("two", 1), B = log_group("b", 7), C = parameter("c") } })
  wait_until(world, "UPDATE_COMPLETE")
  local lines, reasons = events(world, nil, since + 0.5)
  t.equal(lines, {
    "app UPDATE_IN_PROGRESS", "A UPDATE_IN_PROGRESS", "B UPDATE_IN_PROGRESS", "A UPDATE_IN_PROGRESS",
    "A UPDATE_COMPLETE", "B UPDATE_COMPLETE", "app UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "A DELETE_IN_PROGRESS", "D DELETE_IN_PROGRESS", "A DELETE_COMPLETE", "D DELETE_COMPLETE", "app UPDATE_COMPLETE",
  })
  t.equal(reasons["A UPDATE_IN_PROGRESS"], "Resource creation Initiated")
  local names = {}
  for index, group in ipairs(t.call(world, "logs", "describe_log_groups").log_groups) do
    names[index] = group.log_group_name .. tostring(group.retention_in_days)
  end
  t.equal(names, { "b7", "two1" })
  t.equal(#t.call(world, "ssm", "describe_parameters").parameters, 1)
end)

t.test("an update that changes nothing is refused", function()
  local world = t.world { seed = 1 }
  local document = { Resources = { A = parameter("x") } }
  create(world, document)
  t.contains(fails(world, "ValidationError", "update_stack", { stack_name = "app", template_body = encoded(document) }).message,
    "is in CREATE_IN_PROGRESS state and can not be updated.")
  wait_until(world, "CREATE_COMPLETE")
  t.equal(fails(world, "ValidationError", "update_stack", { stack_name = "app", template_body = encoded(document) }).message,
    "No updates are to be performed.")
  fails(world, "ValidationError", "update_stack", { stack_name = "nobody", template_body = encoded(document) })
end)

t.test("a failed update is changed back, and what it made is deleted", function()
  local world = t.world { seed = 1 }
  create(world, { Resources = { A = log_group("one", 1), B = parameter("old") } })
  wait_until(world, "CREATE_COMPLETE")
  t.call(world, "logs", "create_log_group", { log_group_name = "taken" })
  update(world, { Resources = {
    A = log_group("two", 1), B = parameter("new"), C = parameter("c"),
    Z = { Type = "AWS::Logs::LogGroup", Properties = { LogGroupName = "taken" }, DependsOn = { "A", "B", "C" } },
  } })
  wait_until(world, "UPDATE_ROLLBACK_COMPLETE")
  local lines, reasons = events(world)
  t.equal(reasons["app UPDATE_ROLLBACK_IN_PROGRESS"], "The following resource(s) failed to create: [Z]. ")
  local text = table.concat(lines, "\n")
  t.contains(text, "app UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS\nA DELETE_IN_PROGRESS")
  local names = {}
  for index, group in ipairs(t.call(world, "logs", "describe_log_groups").log_groups) do
    names[index] = group.log_group_name
  end
  t.equal(names, { "one", "taken" })
  local kept = t.call(world, "ssm", "describe_parameters").parameters
  t.equal(#kept, 1)
  t.equal(t.call(world, "ssm", "get_parameter", { name = kept[1].name }).parameter.value, "old")
  t.contains(call(world, "get_template", { stack_name = "app" }).template_body, '"old"')
  update(world, { Resources = { A = log_group("one", 1), B = parameter("newer") } }) -- and may be updated again
  wait_until(world, "UPDATE_COMPLETE")
end)

t.test("an update in progress can be cancelled", function()
  local world = t.world { seed = 1 }
  create(world, { Resources = { A = parameter("old") } })
  wait_until(world, "CREATE_COMPLETE")
  update(world, { Resources = { A = parameter("new") } })
  t.advance(world, 4)
  call(world, "cancel_update_stack", { stack_name = "app" })
  wait_until(world, "UPDATE_ROLLBACK_COMPLETE")
  local _, reasons = events(world)
  t.equal(reasons["A UPDATE_FAILED"], "Resource update cancelled")
  fails(world, "ValidationError", "cancel_update_stack", { stack_name = "app" })
end)

-- ---- services ------------------------------------------------------------------------------------

t.test("a service is complete only when it is steady", function()
  local world = t.world { seed = 1 }
  create(world, service_template(world, "nginx:1"))
  while events(world)[#events(world)] ~= "Service CREATE_IN_PROGRESS" do
    t.advance(world, 1)
  end
  local begun = world:now()
  wait_until(world, "CREATE_COMPLETE")
  t.truthy(world:now() - begun > 45, "the service took no time")
  local service = t.call(world, "ecs", "describe_services", { cluster = "prod", services = { "web" } }).services[1]
  t.equal({ service.running_count, #service.deployments }, { 1, 1 })
  t.equal(output(world, "Name"), "web")
end)

t.test("a new image makes a new definition, updates the service, and drops the old one after", function()
  local world = t.world { seed = 1 }
  create(world, service_template(world, "nginx:1"))
  wait_until(world, "CREATE_COMPLETE")
  local since = world:now() + 1
  t.advance(world, 1)
  update(world, service_template(world, "nginx:2"))
  wait_until(world, "UPDATE_COMPLETE")
  t.equal(events(world, nil, since), {
    "app UPDATE_IN_PROGRESS", "Task UPDATE_IN_PROGRESS", "Task UPDATE_IN_PROGRESS", "Task UPDATE_COMPLETE",
    "Service UPDATE_IN_PROGRESS", "Service UPDATE_COMPLETE", "app UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "Task DELETE_IN_PROGRESS", "Task DELETE_COMPLETE", "app UPDATE_COMPLETE",
  })
  t.equal(running_image(world), "nginx:2")
  t.equal(t.call(world, "ecs", "list_task_definitions", {}).task_definition_arns,
    { "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:2" })
end)

t.test("a breaker rollback fails the update although ECS has rolled itself back, and siblings are cancelled", function()
  local world = t.world { seed = 1 }
  create(world, service_template(world, "nginx:1"))
  wait_until(world, "CREATE_COMPLETE")
  faults.set(world, "image_missing", "nginx:2", true)
  -- A service of its own beside it that cannot become steady either keeps a sibling busy.
  local late = service_template(world, "nginx:2").Resources.Service
  late.Properties.ServiceName = "late"
  late.Properties.DeploymentConfiguration = nil
  update(world, service_template(world, "nginx:2", { Late = late }))
  wait_until(world, "UPDATE_ROLLBACK_COMPLETE")
  local lines, reasons = events(world)
  local reason = reasons["Service UPDATE_FAILED"]
  t.equal(reason:gsub("RequestToken: [%x-]+", "RequestToken: T"),
    "Resource handler returned message: \"Error occurred during operation 'ECS Deployment Circuit Breaker was "
    .. "triggered'.\" (RequestToken: T, HandlerErrorCode: GeneralServiceException)")
  t.equal(reasons["Late CREATE_FAILED"], "Resource creation cancelled")
  t.equal(reasons["app UPDATE_ROLLBACK_IN_PROGRESS"], 
    "The following resource(s) failed to create: [Late]. The following resource(s) failed to update: [Service]. ")
  t.equal(lines[#lines], "app UPDATE_ROLLBACK_COMPLETE")
  t.equal(running_image(world), "nginx:1")
  local left = t.call(world, "ecs", "list_task_definitions", {}).task_definition_arns
  t.equal(left, { "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:1" })
end)

t.test("a service that never becomes steady fails after three hours", function()
  local world = t.world { seed = 1 }
  faults.set(world, "image_missing", "nginx:1", true)
  local document = service_template(world, "nginx:1")
  document.Resources.Service.Properties.DeploymentConfiguration = nil
  create(world, document)
  local begun = world:now()
  wait_until(world, "ROLLBACK_COMPLETE")
  local _, reasons = events(world)
  t.contains(reasons["Service CREATE_FAILED"], '"Exceeded attempts to wait" (RequestToken: ')
  t.contains(reasons["Service CREATE_FAILED"], "HandlerErrorCode: NotStabilized)")
  t.truthy(world:now() - begun > 10800, "it gave up early")
  t.equal(t.call(world, "ecs", "list_clusters").cluster_arns, {})
end)

-- A whole application: network, balancer, roles, service, scaling, alarm, dashboard.
local function application(image)
  local vpc, group = { Ref = "Vpc" }, { ["Fn::GetAtt"] = { "Group", "GroupId" } }
  local function subnet(block, index)
    return { Type = "AWS::EC2::Subnet", Properties = {
      VpcId = vpc, CidrBlock = block, AvailabilityZone = { ["Fn::Select"] = { index, { ["Fn::GetAZs"] = "" } } } } }
  end
  local subnets = { { Ref = "SubnetA" }, { Ref = "SubnetB" } }
  local document = service_template(t.world { seed = 1 }, image, {
    Vpc = { Type = "AWS::EC2::VPC", Properties = { CidrBlock = "10.7.0.0/16" } },
    SubnetA = subnet("10.7.0.0/24", 0), SubnetB = subnet("10.7.1.0/24", 1),
    Group = { Type = "AWS::EC2::SecurityGroup", Properties = {
      GroupDescription = "web", VpcId = vpc, SecurityGroupIngress = { {
        IpProtocol = "tcp", FromPort = 80, ToPort = 80, CidrIp = "0.0.0.0/0" } } } },
    Balancer = { Type = "AWS::ElasticLoadBalancingV2::LoadBalancer", Properties = {
      Subnets = subnets, SecurityGroups = { group }, Type = "application",
      LoadBalancerAttributes = { { Key = "idle_timeout.timeout_seconds", Value = 30 } } } },
    Targets = { Type = "AWS::ElasticLoadBalancingV2::TargetGroup", Properties = {
      VpcId = vpc, Port = 80, Protocol = "HTTP", TargetType = "ip", HealthCheckPath = "/api/healthz",
      TargetGroupAttributes = { { Key = "deregistration_delay.timeout_seconds", Value = "10" } } } },
    Listener = { Type = "AWS::ElasticLoadBalancingV2::Listener", Properties = {
      LoadBalancerArn = { Ref = "Balancer" }, Port = 80, Protocol = "HTTP",
      DefaultActions = { { Type = "forward", TargetGroupArn = { Ref = "Targets" } } } } },
    Scalable = { Type = "AWS::ApplicationAutoScaling::ScalableTarget", Properties = {
      MinCapacity = 1, MaxCapacity = 4, ServiceNamespace = "ecs", ScalableDimension = "ecs:service:DesiredCount",
      ResourceId = { ["Fn::Join"] = { "", { "service/", { Ref = "Cluster" }, "/", { ["Fn::GetAtt"] = "Service.Name" } } } } } },
    Policy = { Type = "AWS::ApplicationAutoScaling::ScalingPolicy", Properties = {
      PolicyName = "cpu", PolicyType = "TargetTrackingScaling", ScalingTargetId = { Ref = "Scalable" },
      TargetTrackingScalingPolicyConfiguration = {
        TargetValue = 60, PredefinedMetricSpecification = { PredefinedMetricType = "ECSServiceAverageCPUUtilization" } } } },
    Alarm = { Type = "AWS::CloudWatch::Alarm", Properties = {
      AlarmName = "web-cpu", Namespace = "AWS/ECS", MetricName = "CPUUtilization", Statistic = "Average", Period = 60,
      EvaluationPeriods = "3", Threshold = 80, ComparisonOperator = "GreaterThanThreshold",
      Dimensions = { { Name = "ServiceName", Value = { ["Fn::GetAtt"] = { "Service", "Name" } } } } } },
    Dashboard = { Type = "AWS::CloudWatch::Dashboard", Properties = {
      DashboardName = "web", DashboardBody = '{"widgets":[]}' } },
    Repository = { Type = "AWS::ECR::Repository", Properties = { RepositoryName = "web", EmptyOnDelete = true } },
    Secret = { Type = "AWS::SecretsManager::Secret", Properties = { Name = "db", GenerateSecretString = {
      SecretStringTemplate = '{"user":"u"}', GenerateStringKey = "password", PasswordLength = 20 } } },
    Bucket = { Type = "AWS::S3::Bucket", Properties = { VersioningConfiguration = { Status = "Enabled" } } },
  })
  local service = document.Resources.Service
  service.DependsOn = "Listener"
  service.Properties.LoadBalancers = { { ContainerName = "app", ContainerPort = 80, TargetGroupArn = { Ref = "Targets" } } }
  service.Properties.NetworkConfiguration.AwsvpcConfiguration = { Subnets = subnets, SecurityGroups = { group } }
  document.Outputs.Dns = { Value = { ["Fn::GetAtt"] = { "Balancer", "DNSName" } } }
  return document
end

t.test("a whole application is made, found in its services, and deleted without a trace", function()
  local world = t.world { seed = 1 }
  create(world, application("nginx:1"))
  wait_until(world, "CREATE_COMPLETE")
  t.contains(output(world, "Dns"), ".elb.amazonaws.com")
  local group = t.call(world, "elbv2", "describe_target_groups").target_groups[1]
  local health = t.call(world, "elbv2", "describe_target_health", { target_group_arn = group.target_group_arn })
  t.equal(health.target_health_descriptions[1].target_health.state, "healthy")
  t.contains(health.target_health_descriptions[1].target.id, "10.7.")
  t.equal(#t.call(world, "cloudwatch", "describe_alarms", { alarm_names = { "web-cpu" } }).metric_alarms, 1)
  local targets = t.call(world, "application_autoscaling", "describe_scalable_targets", { service_namespace = "ecs" })
  t.equal(targets.scalable_targets[1].max_capacity, 4)
  local secret = t.call(world, "secretsmanager", "get_secret_value", { secret_id = "db" }).secret_string
  t.equal(#json.decode(secret).password, 20)
  local id = stack_of(world).stack_id
  call(world, "delete_stack", { stack_name = "app" })
  t.advance(world, 1800)
  t.equal(status(world, id), "DELETE_COMPLETE")
  t.equal(t.call(world, "elbv2", "describe_load_balancers").load_balancers, {})
  t.equal(t.call(world, "elbv2", "describe_target_groups").target_groups, {})
  t.equal(#t.call(world, "ec2", "describe_vpcs").vpcs, 1)
  t.equal(t.call(world, "ecs", "list_clusters").cluster_arns, {})
  t.equal(t.call(world, "ecr", "describe_repositories").repositories, {})
  t.equal(t.call(world, "cloudwatch", "describe_alarms").metric_alarms, {})
end)

-- Every place in a document: {table, key}.
local function places_in(value, out)
  for key, item in require("sim.util").sorted_pairs(value) do
    out[#out + 1] = { value, key }
    if type(item) == "table" then
      places_in(item, out)
    end
  end
  return out
end

local junk = {
  "x", "", 5, 1.5, false, {}, { 1, 2 }, { Ref = "Cluster" }, { Ref = "Nobody" }, { Ref = 5 }, { ["Fn::Join"] = 1 },
  { ["Fn::Sub"] = "${A.B}" }, { ["Fn::Sub"] = { "${a}", 5 } }, { ["Fn::Select"] = { 9, {} } }, { ["Fn::GetAtt"] = { {}, {} } },
  { ["Fn::If"] = { "x", 1, 2 } }, "{{resolve:ssm:/x}}", { ["Fn::Split"] = { "", "" } }, { ["Fn::FindInMap"] = { 1, 2, 3 } },
}

t.test("broken templates break stacks, not the simulator", function()
  local base, util = application("nginx:1"), require "sim.util"
  math.randomseed(1)
  for _ = 1, 60 do
    local document, world = util.copy(base), t.world { seed = 1 }
    for _ = 1, math.random(3) do
      local places = places_in(document, {})
      local place = places[math.random(#places)]
      place[1][place[2]] = util.copy(junk[math.random(#junk)])
    end
    local input = { stack_name = "app", template_body = json.encode(document), capabilities = capabilities }
    if world:call("cloudformation", "create_stack", input, t.caller).output then
      t.advance(world, 1500)
      input.template_body = json.encode(base)
      world:call("cloudformation", "update_stack", input, t.caller)
      t.advance(world, 600)
      world:call("cloudformation", "delete_stack", { stack_name = "app" }, t.caller)
      t.advance(world, 600)
    end
  end
end)

t.test("the same seed gives the same events", function()
  local function run()
    local world = t.world { seed = 7 }
    create(world, service_template(world, "nginx:1"))
    wait_until(world, "CREATE_COMPLETE")
    return t.show(call(world, "describe_stack_events", { stack_name = "app" }))
  end
  t.equal(run(), run())
end)

-- ---- change sets ---------------------------------------------------------------------------------

local function change_set(world, document, kind)
  local made = call(world, "create_change_set", {
    stack_name = "app", change_set_name = "cs", change_set_type = kind, template_body = encoded(document),
    capabilities = capabilities,
  })
  return made
end

local function described(world)
  return call(world, "describe_change_set", { stack_name = "app", change_set_name = "cs", include_property_values = true })
end

t.test("a change set creates a stack, which is in review until it is executed", function()
  local world = t.world { seed = 1 }
  local made = change_set(world, { Resources = { A = parameter("x") } }, "CREATE")
  t.equal(status(world), "REVIEW_IN_PROGRESS")
  t.equal({ described(world).status, described(world).execution_status }, { "CREATE_PENDING", "UNAVAILABLE" })
  t.equal(fails(world, "InvalidChangeSetStatus", "execute_change_set", { change_set_name = made.id }).message,
    ("ChangeSet [%s] cannot be executed in its current status of [CREATE_PENDING]"):format(made.id))
  t.advance(world, 2)
  t.equal(described(world).status, "CREATE_IN_PROGRESS")
  t.advance(world, 8)
  t.equal({ described(world).status, described(world).execution_status }, { "CREATE_COMPLETE", "AVAILABLE" })
  local change = described(world).changes[1].resource_change
  t.equal({ change.action, change.logical_resource_id, change.resource_type }, { "Add", "A", "AWS::SSM::Parameter" })
  call(world, "execute_change_set", { change_set_name = made.id })
  wait_until(world, "CREATE_COMPLETE")
  local failure = fails(world, "ChangeSetNotFound", "describe_change_set", { stack_name = "app", change_set_name = "cs" })
  t.equal(failure.status, 404)
  t.equal(stack_of(world).change_set_id, made.id)
end)

t.test("a change set says what it replaces, changes and removes", function()
  local world = t.world { seed = 1 }
  create(world, service_template(world, "nginx:1", { Old = parameter("x") }))
  wait_until(world, "CREATE_COMPLETE")
  change_set(world, service_template(world, "nginx:2"))
  t.advance(world, 10)
  local got = {}
  for index, change in ipairs(described(world).changes) do
    local about = change.resource_change
    got[index] = ("%s %s %s"):format(about.action, about.logical_resource_id, about.replacement or "-")
  end
  t.equal(got, { "Modify Task True", "Modify Service False", "Remove Old -" })
  local service = described(world).changes[2].resource_change
  t.contains(service.after_context, "{{changeSet:KNOWN_AFTER_APPLY}}")
  t.equal(service.details[1].target.name, "TaskDefinition")
end)

t.test("a change set without changes fails with the words that clients look for", function()
  local world = t.world { seed = 1 }
  create(world, { Resources = { A = parameter("x") } })
  wait_until(world, "CREATE_COMPLETE")
  change_set(world, { Resources = { A = parameter("x") } })
  t.advance(world, 10)
  t.equal({ described(world).status, described(world).status_reason, described(world).execution_status }, {
    "FAILED",
    "The submitted information didn't contain changes. Submit different information to create a change set.",
    "UNAVAILABLE",
  })
  fails(world, "AlreadyExistsException", "create_change_set", {
    stack_name = "app", change_set_name = "cs", template_body = encoded { Resources = { A = parameter("y") } },
  })
  call(world, "delete_change_set", { stack_name = "app", change_set_name = "cs" })
  call(world, "delete_change_set", { stack_name = "app", change_set_name = "cs" })
  fails(world, "ChangeSetNotFound", "describe_change_set", { stack_name = "app", change_set_name = "cs" })
  t.equal(call(world, "list_change_sets", { stack_name = "app" }).summaries, {})
end)

t.test("change sets need a stack that fits", function()
  local world = t.world { seed = 1 }
  local document = encoded { Resources = { A = parameter("x") } }
  fails(world, "ValidationError", "create_change_set", {
    stack_name = "app", change_set_name = "cs", template_body = document,
  })
  create(world, document)
  fails(world, "ValidationError", "create_change_set", {
    stack_name = "app", change_set_name = "cs", template_body = document, change_set_type = "CREATE",
  })
  fails(world, "ValidationError", "describe_change_set", { change_set_name = "cs" })
end)

-- ---- deleting ------------------------------------------------------------------------------------

t.test("a stack is deleted backwards, keeps what it shall keep, and is found by its ARN after", function()
  local world = t.world { seed = 1 }
  local kept = log_group("kept")
  kept.DeletionPolicy = "Retain"
  create(world, { Resources = { A = parameter({ Ref = "B" }), B = log_group("b"), K = kept } })
  wait_until(world, "CREATE_COMPLETE")
  local id, since = stack_of(world).stack_id, world:now() + 1
  t.advance(world, 1)
  call(world, "delete_stack", { stack_name = "app" })
  t.advance(world, 60)
  local lines = events(world, id, since)
  t.equal(lines, {
    "app DELETE_IN_PROGRESS", "A DELETE_IN_PROGRESS", "K DELETE_SKIPPED", "A DELETE_COMPLETE", "B DELETE_IN_PROGRESS",
    "B DELETE_COMPLETE", "app DELETE_COMPLETE",
  })
  fails(world, "ValidationError", "describe_stacks", { stack_name = "app" })
  t.equal(status(world, id), "DELETE_COMPLETE")
  t.equal(call(world, "describe_stacks").stacks, {})
  t.equal(#call(world, "list_stacks", { stack_status_filter = { "DELETE_COMPLETE" } }).stack_summaries, 1)
  t.equal(#t.call(world, "logs", "describe_log_groups").log_groups, 1)
  call(world, "delete_stack", { stack_name = "app" })
end)

t.test("what cannot be deleted fails the deletion, and it can be asked for again", function()
  local world = t.world { seed = 1 }
  create(world, { Resources = { B = { Type = "AWS::S3::Bucket", Properties = { BucketName = "full" } } } })
  wait_until(world, "CREATE_COMPLETE")
  t.call(world, "s3", "put_object", { bucket = "full", key = "a", body = "1" })
  call(world, "delete_stack", { stack_name = "app" })
  wait_until(world, "DELETE_FAILED")
  t.equal(stack_of(world).stack_status_reason, "The following resource(s) failed to delete: [B]. ")
  t.call(world, "s3", "delete_object", { bucket = "full", key = "a" })
  local id = stack_of(world).stack_id
  call(world, "delete_stack", { stack_name = "app" })
  t.advance(world, 60)
  t.equal(status(world, id), "DELETE_COMPLETE")
  t.equal(t.call(world, "s3", "list_buckets").buckets, {})
end)

t.test("a protected stack stays", function()
  local world = t.world { seed = 1 }
  create(world, { Resources = { A = parameter("x") } }, { enable_termination_protection = true })
  wait_until(world, "CREATE_COMPLETE")
  t.equal(fails(world, "ValidationError", "delete_stack", { stack_name = "app" }).message,
    "Stack [app] cannot be deleted while TerminationProtection is enabled")
  call(world, "update_termination_protection", { stack_name = "app", enable_termination_protection = false })
  call(world, "delete_stack", { stack_name = "app" })
end)

-- ---- exports -------------------------------------------------------------------------------------

t.test("a value exported by one stack is imported by another, and by one name only once", function()
  local world = t.world { seed = 1 }
  local function exporting()
    return { Resources = { A = parameter("x") }, Outputs = { O = { Value = "42", Export = { Name = "answer" } } } }
  end
  create(world, exporting())
  wait_until(world, "CREATE_COMPLETE")
  t.equal(call(world, "list_exports").exports[1].value, "42")
  call(world, "create_stack", { stack_name = "two", template_body = encoded {
    Resources = { B = parameter { ["Fn::ImportValue"] = "answer" } },
    Outputs = { O = { Value = { ["Fn::GetAtt"] = { "B", "Value" } } } },
  } })
  call(world, "create_stack", { stack_name = "three", template_body = encoded(exporting()) })
  t.advance(world, 60)
  t.equal(stack_of(world, "two").outputs[1].output_value, "42")
  t.equal(status(world, "three"), "ROLLBACK_COMPLETE")
  local _, reasons = events(world, "three")
  t.equal(reasons["three ROLLBACK_IN_PROGRESS"], "Export with name answer is already exported by stack app")
end)

-- ---- parts ---------------------------------------------------------------------------------------

t.test("properties get the names and types of operations; free keys stay", function()
  t.equal(properties.input {
    EnableECSManagedTags = "true", HealthCheckIntervalSeconds = "15", Environment = { { Name = "A", Value = 8080 } },
    LogConfiguration = { Options = { ["awslogs-group"] = "g", Mode = "x" } },
  }, {
    enable_ecs_managed_tags = true, health_check_interval_seconds = 15, environment = { { name = "A", value = "8080" } },
    log_configuration = { options = { ["awslogs-group"] = "g", Mode = "x" } },
  })
end)

t.test("conditions of a policy are not conditions of the template", function()
  local scope = { resources = {}, parameters = {}, document = {}, conditions = {} }
  local policy = { Condition = { StringEquals = { a = "b" } } }
  t.equal(intrinsics.resolve(scope, policy), policy)
end)

t.finish()
