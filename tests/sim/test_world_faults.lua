--- Each thing that can be wrong in a world, from what a scenario says to what an operator sees.

local t = dofile "tests/sim/harness.lua"
local control = require "sim.control"

local function shop(more, seed)
  local world = t.world { seed = seed or 1 }
  local fields = { app = "shop", env = "dev", image = "shop:v1" }
  for key, value in pairs(more or {}) do
    fields[key] = value
  end
  control.service(world, fields)
  return world
end

local function deploy(world, image)
  control.deploy(world, { app = "shop", image = image or "shop:v2" })
end

local function service(world)
  return t.call(world, "ecs", "describe_services", { cluster = "shop-dev", services = { "shop-dev" } }).services[1]
end

-- Why tasks stopped: reasons of tasks and of their containers, each once.
local function reasons(world)
  local arns = t.call(world, "ecs", "list_tasks", { cluster = "shop-dev", desired_status = "STOPPED" }).task_arns
  local out = {}
  t.truthy(#arns > 0, "number of stopped tasks")
  for _, task in ipairs(t.call(world, "ecs", "describe_tasks", { cluster = "shop-dev", tasks = arns }).tasks) do
    out[#out + 1] = ("%s: %s"):format(task.stop_code or "", task.stopped_reason or "")
    for _, container in ipairs(task.containers) do
      out[#out + 1] = ("exit %s: %s"):format(tostring(container.exit_code), container.reason or "")
    end
  end
  return table.concat(out, "\n")
end

local function events(world)
  local out = {}
  for index, event in ipairs(service(world).events) do
    out[index] = event.message
  end
  return table.concat(out, "\n")
end

-- A world in which shop:v2 was deployed after `prepare`, some time ago.
local function after(prepare, more, seconds)
  local world = shop(more)
  prepare(world)
  deploy(world)
  t.advance(world, seconds or 180)
  return world
end

local function stopped(...)
  return reasons(after(...))
end

t.test("an image that is not there", function()
  local why = stopped(function(world) control.image(world, { name = "shop:v2", missing = true }) end)
  t.contains(why, "TaskFailedToStart: CannotPullContainerError: pull image manifest has been retried")
  t.contains(why, "shop:v2: not found")
end)

t.test("an image of another architecture", function()
  local why = stopped(function(world) control.image(world, { name = "shop:v2", architecture = "arm64" }) end)
  t.contains(why, "image Manifest does not contain descriptor matching platform 'linux/amd64'")
end)

t.test("a process that ends", function()
  local why = stopped(function(world) control.image(world, { name = "shop:v2", crash = { exit = 3, after = "8s" } }) end)
  t.contains(why, "EssentialContainerExited: Essential container in task exited")
  t.contains(why, "exit 3:")
end)

t.test("a process that takes too much memory", function()
  local why = stopped(function(world) control.image(world, { name = "shop:v2", out_of_memory = "20s" }) end)
  t.contains(why, "exit 137: OutOfMemoryError: Container killed due to memory usage")
end)

t.test("a secret that is missing, or that the role may not read", function()
  local secrets = { secrets = { TOKEN = "shop/token" } }
  local why = stopped(function(world)
    control.image(world, { name = "shop:v2" })
    control.secret(world, { name = "shop/token", missing = true })
  end, secrets)
  t.contains(why, "ResourceInitializationError: unable to pull secrets or registry auth")
  t.contains(why, "ResourceNotFoundException")
  why = stopped(function(world)
    control.image(world, { name = "shop:v2" })
    control.deny(world, { action = "shop-dev-execution secretsmanager:GetSecretValue" })
  end, secrets)
  t.contains(why, "AccessDeniedException")
  t.contains(why, "assumed-role/shop-dev-execution/")
end)

t.test("a log group that is not there", function()
  local why = stopped(function(world)
    control.image(world, { name = "shop:v2" })
    control.no_log_group(world, { name = "/ecs/shop-dev" })
  end)
  t.contains(why, "ResourceInitializationError: failed to validate logger args")
end)

t.test("no route to the registry keeps tasks pending for long, then says so", function()
  local why = stopped(function(world)
    control.image(world, { name = "shop:v2" })
    control.no_route(world, { to = "ecr" })
  end, nil, 600)
  t.contains(why, "There is a connection issue between the task and Amazon ECR")
end)

t.test("a health page that is gone, and one that is slow", function()
  local why = stopped(function(world) control.image(world, { name = "shop:v2", paths = { ["/"] = 200 } }) end, nil, 300)
  t.contains(why, "ServiceSchedulerInitiated: Task failed ELB health checks in (target-group arn:")
  local slow = after(function(world) control.image(world, { name = "shop:v2", latency = "9s" }) end, nil, 300)
  t.contains(events(slow), "due to (reason Request timed out)")
end)

t.test("no room for tasks, and the limit of tasks", function()
  local function told(why)
    return events(after(function(world)
      control.image(world, { name = "shop:v2" })
      control.no_capacity(world, { service = "shop-dev", why = why })
    end))
  end
  t.contains(told(nil), "Reason: Capacity is unavailable at this time.")
  t.contains(told("limit"), "Reason: You've reached the limit on the number of tasks you can run concurrently.")
end)

t.test("capacity that returns lets the deployment finish", function()
  local world = shop { circuit_breaker = false }
  control.image(world, { name = "shop:v2" })
  control.no_capacity(world, { service = "shop-dev", lasting = "3m" })
  deploy(world)
  t.advance(world, 3600)
  local found = service(world)
  t.equal({ #found.deployments, found.deployments[1].rollout_state }, { 1, "COMPLETED" })
  t.contains(found.task_definition, ":2")
end)

t.test("an alarm that fires during the deployment rolls it back", function()
  local world = shop { alarms = true, deployment_alarms = { "shop-dev-high-error-rate" } }
  control.image(world, { name = "shop:v2" })
  control.force_alarm(world, { name = "shop-dev-high-error-rate", after = "90s" })
  deploy(world)
  t.advance(world, 900)
  t.contains(events(world), "deployment failed: alarm detected.")
  t.contains(service(world).task_definition, ":1")
end)

t.test("somebody else changes the service during a deployment", function()
  local world = shop()
  control.image(world, { name = "shop:v2" })
  control.image(world, { name = "shop:v3" })
  control.at(world, { time = "60s", command = "deploy", args = { app = "shop", image = "shop:v3" } })
  deploy(world)
  t.advance(world, 900)
  local found = service(world)
  t.equal(#found.deployments, 1)
  t.contains(found.task_definition, ":3")
end)

t.test("a tag that was moved: new tasks run the other image, running ones their own", function()
  local world = shop { image = "shop:latest" }
  local function digests()
    local arns = t.call(world, "ecs", "list_tasks", { cluster = "shop-dev" }).task_arns
    local out = {}
    for index, task in ipairs(t.call(world, "ecs", "describe_tasks", { cluster = "shop-dev", tasks = arns }).tasks) do
      out[index] = task.containers[1].image_digest
    end
    return out
  end
  local before = digests()
  local v2 = control.image(world, { name = "shop:v2" })
  control.move_tag(world, { image = "shop:latest", to = "shop:v2" })
  t.equal(digests(), before)
  control.someone_calls(world, { service = "ecs", operation = "update_service",
    input = { cluster = "shop-dev", service = "shop-dev", force_new_deployment = true } })
  control.settle(world, {})
  t.equal(digests(), { v2.digest })
end)

t.test("an image that lifecycle took: tasks cannot be replaced", function()
  local world = shop()
  control.delete_image(world, { image = "shop:v1" })
  local task = t.call(world, "ecs", "list_tasks", { cluster = "shop-dev" }).task_arns[1]
  t.call(world, "ecs", "stop_task", { cluster = "shop-dev", task = task })
  t.advance(world, 300)
  t.contains(reasons(world), "CannotPullContainerError")
end)

t.test("a revision that was deregistered cannot be deployed", function()
  local world = shop()
  control.image(world, { name = "shop:v2" })
  deploy(world)
  control.settle(world, {})
  control.someone_calls(world, { service = "ecs", operation = "deregister_task_definition",
    input = { task_definition = "shop-dev:1" } })
  t.raises("ClientException", function()
    return world:call("ecs", "update_service",
      { cluster = "shop-dev", service = "shop-dev", task_definition = "shop-dev:1" }, t.caller)
  end)
end)

t.finish()
