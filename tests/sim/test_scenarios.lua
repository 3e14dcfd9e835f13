--- Stock scenarios and the words of scenario files.

local t = dofile "tests/sim/harness.lua"
local control = require "sim.control"
local elbv2 = require "sim.elbv2"

local function scenario(name, seed)
  local world = t.world { seed = seed or 1 }
  require("sim.scenarios." .. name)(world)
  return world
end

local function service(world, name)
  name = name or "aistudio-dev"
  return t.call(world, "ecs", "describe_services", { cluster = name, services = { name } }).services[1]
end

local function health(world, name)
  local group = t.call(world, "elbv2", "describe_target_groups", { names = { name
    or "aistudio-dev" } }).target_groups[1]
  local states = {}
  for _, target in ipairs(t.call(world, "elbv2", "describe_target_health",
    { target_group_arn = group.target_group_arn }).target_health_descriptions) do
    states[#states + 1] = target.target_health.state
  end
  table.sort(states)
  return states
end

local function holds_event(world, text)
  for _, event in ipairs(service(world).events) do
    if event.message:find(text, 1, true) then
      return true
    end
  end
  return false
end

t.test("a later call may name what an earlier one answered, and must name what is there", function()
  local world = scenario "empty"
  local function create(group)
    return control.someone_calls(world, {
      service = "ec2", operation = "authorize_security_group_ingress",
      input = { group_id = group, ip_protocol = "tcp", from_port = 80, to_port = 80, cidr_ip = "10.0.0.0/8" },
    })
  end
  control.someone_calls(world, {
    service = "ec2", operation = "create_security_group", input = { group_name = "web", description = "web" },
    keep = "made",
  })
  create "${made.group_id}"
  local found = t.call(world, "ec2", "describe_security_groups", { group_names = { "web" } }).security_groups[1]
  t.equal(found.ip_permissions[1].from_port, 80)
  for _, wrong in ipairs { "${made.nothing}", "${other.group_id}" } do
    local ok, message = pcall(create, wrong)
    t.equal(ok, false)
    t.contains(message, wrong)
  end
end)

t.test("empty has a network and nothing else", function()
  local world = scenario "empty"
  t.equal(t.call(world, "ecs", "list_clusters").cluster_arns, {})
  t.equal(#t.call(world, "ec2", "describe_subnets").subnets, 3)
end)

t.test("service is the guide's service: steady, healthy, answering, with all that it names", function()
  local world = scenario "service"
  local found = service(world)
  t.equal({ found.status, found.running_count, found.desired_count, #found.deployments,
    found.deployments[1].rollout_state },
    { "ACTIVE", 1, 1, 1, "COMPLETED" })
  t.equal(health(world), { "healthy" })
  local dns = t.call(world, "ssm", "get_parameter", { name = "/aistudio/dev/alb-dns-name" }).parameter.value
  local answer = elbv2.http(world, { host = dns, path = "/api/healthz" })
  t.equal({ answer.status, answer.body }, { 200, '{"status":"ok"}' })
  local uri = t.call(world, "ssm", "get_parameter", { name = "/aistudio/dev/ecr-repository-uri" }).parameter.value
  t.equal(uri, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/aistudio-dev")
  t.equal(t.call(world, "ecr", "describe_repositories",
    { repository_names = { "aistudio-dev" } }).repositories[1].repository_uri, uri)
  local tags = t.call(world, "ecr", "describe_images", { repository_name = "aistudio-dev" }).image_details[1].image_tags
  table.sort(tags)
  t.equal(tags, { "latest", "v1" })
  t.equal(t.call(world, "logs", "describe_log_groups", {}).log_groups[1].log_group_name, "/ecs/aistudio-dev")
  t.equal(#t.call(world, "secretsmanager", "list_secrets").secret_list, 1)
  t.equal(t.call(world, "elbv2", "describe_load_balancers").load_balancers[1].state.code, "active")
  local logged = t.call(world, "logs", "filter_log_events", { log_group_name = "/ecs/aistudio-dev" }).events
  t.contains(logged[1].message, "listening on port 3000")
end)

t.test("the same seed gives the same world, byte for byte; another seed another", function()
  for _, name in ipairs { "service", "crash_loop" } do
    t.equal(t.show(scenario(name, 3):save()) == t.show(scenario(name, 3):save()), true, name)
    t.equal(t.show(scenario(name, 3):save()) == t.show(scenario(name, 4):save()), false, name)
  end
end)

t.test("a saved world goes on as if it had not been saved", function()
  local util = require "sim.util"
  local one = scenario "unhealthy_path"
  local two = require("sim.world").new({}, util.copy(one:save()))
  t.advance(one, 900)
  t.advance(two, 900)
  t.equal(t.show(one:save()) == t.show(two:save()), true)
end)

t.test("a saved world holds nothing but plain data", function()
  local function plain(value, path)
    if type(value) == "table" then
      t.equal(getmetatable(value), nil, path)
      for key, item in pairs(value) do
        t.truthy(type(key) == "string" or math.type(key) == "integer", path .. " key " .. tostring(key))
        plain(item, path .. "." .. tostring(key))
      end
      t.truthy(#value == 0 or next(value, #value) == nil or type(next(value)) == "number", path
        .. " is a list or a map")
    else
      local kind = type(value)
      t.truthy(kind == "string" or kind == "boolean" or kind == "number" and value == value
        and math.abs(value) < math.huge, path .. " is a " .. kind)
    end
  end
  plain(scenario("crash_loop"):save(), "world")
end)

t.test("bad_image: the new task cannot be pulled, the old one serves", function()
  local world = scenario "bad_image"
  t.truthy(holds_event(world, "CannotPullContainerError: pull image manifest has been retried"))
  t.equal(health(world), { "healthy" })
  t.equal(service(world).deployments[1].rollout_state, "IN_PROGRESS")
  t.advance(world, 1800)
  t.truthy(holds_event(world, "rolling back to deployment"))
  t.contains(service(world).task_definition, ":1")
end)

t.test("crash_loop: the breaker trips and the old revision is back", function()
  local world = scenario "crash_loop"
  t.truthy(service(world).deployments[1].failed_tasks >= 1, "a task has failed")
  t.advance(world, 1800)
  local found = service(world)
  t.equal({ #found.deployments, found.running_count, found.deployments[1].rollout_state }, { 1, 1, "COMPLETED" })
  t.contains(found.task_definition, ":1")
  local logged = t.call(world, "logs", "filter_log_events",
    { log_group_name = "/ecs/aistudio-dev", filter_pattern = "DATABASE_URL" }).events
  t.truthy(#logged >= 3, "each crash wrote its line")
end)

t.test("unhealthy_path and slow_start fail on the balancer's checks", function()
  local world = scenario "unhealthy_path"
  t.advance(world, 120)
  t.truthy(holds_event(world, "due to (reason Health checks failed with these codes: [404])"))
  world = scenario "slow_start"
  t.advance(world, 120)
  t.truthy(holds_event(world, "due to (reason Health checks failed)"))
end)

t.test("no_capacity: nothing is placed until capacity returns, then the deployment goes on", function()
  local world = scenario "no_capacity"
  t.truthy(holds_event(world, "Capacity is unavailable at this time."))
  t.equal(service(world).running_count, 1)
  t.equal(health(world), { "healthy" })
end)

t.test("blue_green: the deployment is paused, tests reach green, customers reach blue", function()
  local world = scenario "blue_green"
  local record = t.call(world, "ecs", "describe_service_deployments", {
    service_deployment_arns = { service(world).current_service_deployment },
  }).service_deployments[1]
  t.equal({ record.status, record.lifecycle_stage, record.lifecycle_hook_details[1].status },
    { "IN_PROGRESS", "POST_TEST_TRAFFIC_SHIFT", "AWAITING_ACTION" })
  t.equal({ health(world), health(world, "aistudio-dev-green") }, { { "healthy", "healthy" }, { "healthy", "healthy" } })
  local dns = t.call(world, "ssm", "get_parameter", { name = "/aistudio/dev/alb-dns-name" }).parameter.value
  control.behave(world, { image = "aistudio-dev:v2", status = 503 })
  t.equal({ control.ask(world, { host = dns }).status, control.ask(world, { host = dns .. ":8080" }).status }, { 200, 503 })
end)

t.test("a good image is deployed in a few minutes", function()
  local world = scenario "service"
  control.image(world, { name = "aistudio-dev:v2" })
  local before = world:now()
  control.deploy(world, { app = "aistudio", env = "dev", image = "aistudio-dev:v2", wait = true })
  t.near(world:now() - before, 150, 60)
  t.contains(service(world).task_definition, ":2")
  t.equal(health(world)[1], "healthy")
end)

t.test("a service of many tasks, without a balancer, in another place", function()
  local world = t.world { seed = 5, region = "us-east-1", account = "111122223333" }
  control.service(world, { app = "shop", env = "prod", desired = 6, load_balancer = false, circuit_breaker = false,
    cpu = 256, memory = 512 })
  local found = service(world, "shop-prod")
  t.equal({ found.running_count, found.load_balancers, found.service_arn }, { 6, {},
    "arn:aws:ecs:us-east-1:111122223333:service/shop-prod/shop-prod" })
  t.equal(found.deployment_configuration.deployment_circuit_breaker.enable, false)
end)

t.test("two services live side by side and behave apart", function()
  local world = t.world()
  control.service(world, { app = "one", env = "dev" })
  control.service(world, { app = "two", env = "dev", health_path = "/up" })
  t.equal({ health(world, "one-dev"), health(world, "two-dev") }, { { "healthy" }, { "healthy" } })
  control.behave(world, { container = "two", status = 500 })
  t.advance(world, 50)
  t.equal(health(world, "one-dev"), { "healthy" })
  t.truthy(health(world, "two-dev")[1] ~= "healthy")
end)

t.test("what is to come comes at its time", function()
  local world = scenario "service"
  control.at(world, { time = "5m", command = "deploy", args = { service = "aistudio-dev",
    image = "aistudio-dev:latest" } })
  t.advance(world, 299)
  t.equal(#service(world).deployments, 1)
  t.advance(world, 2)
  t.equal(#service(world).deployments, 2)
end)

t.test("a secret that is denied keeps new tasks from starting and says so", function()
  local world = scenario "service"
  control.secret(world, { name = "aistudio/dev/database", denied = true })
  control.deploy(world, { service = "aistudio-dev", image = "aistudio-dev:v1" })
  t.advance(world, 180)
  t.truthy(holds_event(world, "AccessDeniedException"))
  t.equal(health(world), { "healthy" })
end)

t.test("durations of a service may be texts", function()
  local world = t.world { seed = 1 }
  control.service(world, { app = "shop", grace = "2m", deregistration_delay = "45s", health_interval = "20s" })
  local service = t.call(world, "ecs", "describe_services", { cluster = "shop-dev", services = { "shop-dev" } }).services[1]
  t.equal(service.health_check_grace_period_seconds, 120)
end)

t.test("commands tell what they do not know", function()
  local world = t.world()
  local function words(command, args)
    local ok, err = pcall(control[command], world, args)
    t.equal(ok, false)
    return err
  end
  t.contains(words("service", { desire = 1 }), "service has no field 'desire'")
  t.contains(words("service", { desired = "2" }), "service: 'desired' must be a number, and is a string")
  t.contains(words("image", { name = "a:1", crash = true }), "image: 'crash' must be a table, and is a boolean")
  t.contains(words("image", { name = "a:1", crash = { code = 1 } }), "image.crash has no field 'code'")
  t.contains(words("image", {}), "image needs the field 'name'")
  t.contains(words("deploy", { service = "x", image = "y:1", cluster = "c" }), "ClusterNotFoundException")
  t.contains(words("move_tag", { image = "a:1", to = "b:1" }), "RepositoryNotFoundException")
  t.contains(words("advance", { to = 1 }), "the clock only goes forward")
  t.contains(words("at", { command = "explode" }), "there is no command 'explode'")
end)

t.test("reset gives an empty world at the same time", function()
  local world = scenario "service"
  local now = world:now()
  control.reset(world)
  t.equal({ world:now(), t.call(world, "ecs", "list_clusters").cluster_arns }, { now, {} })
end)

t.finish()
