--- Tasks: their life with all its times, and every reason why one stops.

local ecs = dofile "tests/sim/ecs_world.lua"
local faults = require "sim.faults"
local t, within, when = ecs.t, ecs.within, ecs.when

local secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/db-AbCdEf"

-- Runs one task of a definition; gives the world and what describes it.
local function run(world, more, top, input)
  input = input or {}
  input.cluster, input.launch_type = "prod", "FARGATE"
  input.task_definition = ecs.define(world, more and more.image or ecs.image "app:v1", more, top)
  input.network_configuration = ecs.network(world)
  local task = ecs.call(world, "run_task", input).tasks[1]
  return task.task_arn
end

local function describe(world, arn)
  return ecs.call(world, "describe_tasks", { cluster = "prod", tasks = { arn } }).tasks[1]
end

local function wait_status(world, arn, status, limit)
  return ecs.wait(world, limit or 600, function()
    local task = describe(world, arn)
    return task.last_status == status and task
  end, 0.5)
end

-- Runs a task that must not come up; gives it when it has stopped, and how long that took.
local function fails(world, more, top)
  local arn, at = run(world, more, top), world:now()
  local task = wait_status(world, arn, "STOPPED")
  t.equal(task.started_at, nil, "started_at of a task that never ran")
  t.equal({ task.stop_code, task.desired_status }, { "TaskFailedToStart", "STOPPED" })
  t.equal(task.containers[1].exit_code, nil, "exit code of a container that never ran")
  return task, task.stopped_at - at
end

-- ---- life ----------------------------------------------------------------------------------------

t.test("a task goes through its states in order and keeps the time of each", function()
  local world = ecs.empty()
  local arn = run(world)
  local seen = {}
  local function watch()
    local status = describe(world, arn).last_status
    if seen[#seen] ~= status then
      seen[#seen + 1] = status
    end
    return status
  end
  ecs.wait(world, 60, function() return watch() == "RUNNING" end, 0.2)
  local task = describe(world, arn)
  within(task.connectivity_at - task.created_at, 4, 15, "created to connected")
  within(task.pull_started_at - task.created_at, 8, 20, "created to pull")
  within(task.pull_stopped_at - task.pull_started_at, 2, 60, "pull")
  within(task.started_at - task.pull_stopped_at, 1, 5, "pull to RUNNING")
  t.equal({ task.connectivity, task.attachments[1].status, task.containers[1].last_status },
    { "CONNECTED", "ATTACHED", "RUNNING" })
  t.equal(task.containers[1].network_interfaces[1].private_ipv4_address, task.attachments[1].details[5].value)
  ecs.call(world, "stop_task", { cluster = "prod", task = arn })
  t.equal({ describe(world, arn).desired_status, describe(world, arn).last_status }, { "STOPPED", "RUNNING" })
  ecs.wait(world, 120, function() return watch() == "STOPPED" end, 0.2)
  task = describe(world, arn)
  t.equal(seen, { "PROVISIONING", "PENDING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED" })
  t.equal({ task.stopping_at < task.execution_stopped_at, task.execution_stopped_at < task.stopped_at }, { true, true })
  within(task.execution_stopped_at - task.stopping_at, 35, 50, "stopping to execution stopped")
  within(task.stopped_at - task.execution_stopped_at, 15, 25, "execution stopped to stopped")
  t.equal(task.containers[1].exit_code, 137, "exit code of a process that ignores SIGTERM")
  t.equal({ task.stop_code, task.stopped_reason }, { "UserInitiated", "Task stopped by user" })
  t.equal(task.attachments[1].status, "DELETED")
end)

t.test("a stopped task can be described for an hour, then it is missing", function()
  local world = ecs.empty()
  local arn = run(world)
  t.advance(world, 60)
  ecs.call(world, "stop_task", { cluster = "prod", task = arn })
  wait_status(world, arn, "STOPPED")
  t.advance(world, 3590)
  t.equal(describe(world, arn).last_status, "STOPPED")
  t.advance(world, 20)
  local answer = ecs.call(world, "describe_tasks", { cluster = "prod", tasks = { arn } })
  t.equal({ #answer.tasks, answer.failures[1].reason, answer.failures[1].arn }, { 0, "MISSING", arn })
end)

t.test("a process that heeds SIGTERM ends with its own code, and sooner", function()
  local world = ecs.empty()
  faults.set(world, "behaviour", "app:v1", { stop = { seconds = 2, code = 0 } })
  local arn = run(world)
  wait_status(world, arn, "RUNNING")
  ecs.call(world, "stop_task", { cluster = "prod", task = arn })
  local task = wait_status(world, arn, "STOPPED")
  t.equal(task.containers[1].exit_code, 0)
  within(task.execution_stopped_at - task.stopping_at, 11, 18, "stopping to execution stopped")
end)

t.test("a task that is stopped before it runs has never started", function()
  local world = ecs.empty()
  local arn = run(world)
  wait_status(world, arn, "PENDING")
  ecs.call(world, "stop_task", { cluster = "prod", task = arn, reason = "changed my mind" })
  local task = wait_status(world, arn, "STOPPED")
  t.equal({ task.started_at, task.stopped_reason, task.containers[1].exit_code }, { nil, "changed my mind", nil })
end)

t.test("the times of the one full trace that is known come out right", function()
  for seed = 1, 7 do
    local world = ecs.empty(seed)
    local task = wait_status(world, run(world), "RUNNING")
    within(task.started_at - task.created_at, 15, 35, "created to RUNNING")
  end
end)

-- ---- ends ----------------------------------------------------------------------------------------

t.test("an essential container that exits takes the task with it", function()
  local world = ecs.empty()
  faults.set(world, "behaviour", "app:v1", { exit = { code = 3, after = 8 } })
  local task = wait_status(world, run(world), "STOPPED")
  t.equal({ task.stop_code, task.stopped_reason, task.containers[1].exit_code },
    { "EssentialContainerExited", "Essential container in task exited", 3 })
  within(task.stopping_at - task.started_at, 7.5, 8.5, "life")
end)

t.test("a task that is given a command does it and ends well", function()
  local world = ecs.empty()
  local overrides = { container_overrides = { { name = "web", command = { "npm", "run", "migrate" } } } }
  local task = wait_status(world, run(world, nil, nil, { overrides = overrides }), "STOPPED")
  t.equal({ task.stop_code, task.containers[1].exit_code }, { "EssentialContainerExited", 0 })
  t.equal(task.overrides, overrides)
  faults.set(world, "behaviour", "app:v1", { exit = { code = 2, after = 3 } })
  task = wait_status(world, run(world, nil, nil, { overrides = overrides }), "STOPPED")
  t.equal(task.containers[1].exit_code, 2, "what the scenario says")
end)

t.test("out of memory shows in the container", function()
  local world = ecs.empty()
  faults.set(world, "behaviour", "app:v1", { oom_after = 20 })
  local task = wait_status(world, run(world), "STOPPED")
  t.equal({ task.stop_code, task.containers[1].exit_code, task.containers[1].reason }, {
    "EssentialContainerExited", 137, "OutOfMemoryError: Container killed due to memory usage",
  })
end)

t.test("a sidecar that is not essential may end", function()
  local world = ecs.empty()
  faults.set(world, "behaviour", "container:init", { exit = { code = 0, after = 3 } })
  local arn = ecs.call(world, "run_task", {
    cluster = "prod", launch_type = "FARGATE", network_configuration = ecs.network(world),
    task_definition = ecs.define(world, nil, nil, { container_definitions = {
      { name = "web", image = ecs.image "app:v1" }, { name = "init", image = ecs.image "app:v2", essential = false },
    } }),
  }).tasks[1].task_arn
  t.advance(world, 120)
  local task = describe(world, arn)
  t.equal({ task.last_status, task.containers[1].last_status, task.containers[2].last_status },
    { "RUNNING", "RUNNING", "STOPPED" })
  t.equal(task.containers[2].exit_code, 0)
end)

t.test("a behaviour that is set later reaches tasks that run", function()
  local world = ecs.empty()
  local arn = run(world)
  t.advance(world, 100)
  faults.set(world, "behaviour", "app:v1", { exit = { code = 1, after = 30 } })
  require("sim.ecs").behaviour_changed(world)
  t.advance(world, 60)
  t.equal(describe(world, arn).containers[1].exit_code, 1)
end)

t.test("Fargate Spot takes a task back", function()
  local world = ecs.empty()
  local arn = run(world)
  wait_status(world, arn, "RUNNING")
  require("sim.ecs").interrupt(world, arn)
  local task = wait_status(world, arn, "STOPPED")
  t.equal({ task.stop_code, task.stopped_reason }, { "SpotInterruption", "Your Spot Task was interrupted." })
end)

-- ---- failures to start ---------------------------------------------------------------------------

t.test("a missing image is tried for a while", function()
  local world = ecs.empty()
  local task, seconds = fails(world, { image = ecs.image "app:gone" })
  t.equal(task.stopped_reason, "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to "
    .. "resolve ref " .. ecs.image "app:gone" .. ": not found")
  t.equal(task.containers[1].reason, task.stopped_reason)
  t.truthy(task.pull_started_at, "pull_started_at")
  t.equal(task.pull_stopped_at, nil)
  within(seconds, 110, 160, "until STOPPED")
end)

t.test("an image of another architecture cannot be pulled, and can where that is asked for", function()
  local world = ecs.empty()
  faults.set(world, "architecture", "app:v1", { "linux/arm64" })
  local task = fails(world)
  t.equal(task.stopped_reason, "CannotPullContainerError: pull image manifest has been retried 7 time(s): image Manifest "
    .. "does not contain descriptor matching platform 'linux/amd64'")
  local arm = run(world, nil, { runtime_platform = { cpu_architecture = "ARM64", operating_system_family = "LINUX" } })
  t.equal(wait_status(world, arm, "RUNNING").attributes[1].value, "arm64")
end)

t.test("a denied secret stops the task within half a minute of PENDING", function()
  local world = ecs.empty()
  faults.set(world, "secret", secret_arn, "denied")
  local task, seconds = fails(world, { secrets = { { name = "DB", value_from = secret_arn .. ":password::" } } })
  t.contains(task.stopped_reason, "ResourceInitializationError: unable to pull secrets or registry auth: execution "
    .. "resource retrieval failed: unable to retrieve secret from asm: ")
  t.contains(task.stopped_reason, ("AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/execution/%s is "
    .. "not authorized to perform: secretsmanager:GetSecretValue on resource: %s because no identity-based policy "
    .. "allows the secretsmanager:GetSecretValue action"):format(task.task_arn:match("[^/]+$"), secret_arn))
  t.equal(task.containers[1].reason, nil)
  within(seconds, 30, 75, "until STOPPED")
end)

t.test("a secret without a current version, and a parameter that is missing", function()
  local world = ecs.empty()
  faults.set(world, "secret", secret_arn, "no_version")
  t.contains(fails(world, { secrets = { { name = "DB", value_from = secret_arn } } }).stopped_reason,
    "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT")
  t.contains(fails(world, { secrets = { { name = "KEY", value_from = "/app/none" } } }).stopped_reason,
    "invalid parameters: /app/none")
end)

t.test("secrets that are there let the task start", function()
  local world = ecs.empty()
  local secret = t.call(world, "secretsmanager", "create_secret", { name = "app/db", secret_string = "s3cret" })
  t.call(world, "ssm", "put_parameter", { name = "/app/key", value = "v", type = "String" })
  local arn = run(world, { secrets = {
    { name = "DB", value_from = secret.arn }, { name = "KEY", value_from = "/app/key" },
  } })
  wait_status(world, arn, "RUNNING")
end)

t.test("a log group must be there unless the driver may make it", function()
  local world = ecs.empty()
  local options = { ["awslogs-group"] = "/ecs/none", ["awslogs-region"] = "eu-west-1", ["awslogs-stream-prefix"] = "ecs" }
  local task = fails(world, { log_configuration = { log_driver = "awslogs", options = options } })
  t.contains(task.stopped_reason, "ResourceInitializationError: failed to validate logger args: The task cannot find the "
    .. "Amazon CloudWatch log group defined in the task definition.")
  options["awslogs-create-group"] = "true"
  wait_status(world, run(world, { log_configuration = { log_driver = "awslogs", options = options } }), "RUNNING")
end)

t.test("a sealed network keeps a task in PENDING for nearly five minutes", function()
  local world = ecs.empty()
  faults.set(world, "network", "ecr", "blocked")
  local task, seconds = fails(world)
  t.contains(task.stopped_reason, "The task cannot pull registry auth from Amazon ECR: There is a connection issue")
  within(seconds, 290, 340, "until STOPPED")
end)

t.test("a container that cannot be started says why", function()
  local world = ecs.empty()
  faults.set(world, "behaviour", "app:v1", { start_error = "exec format error" })
  local task = fails(world)
  t.equal(task.stopped_reason, "CannotStartContainerError: exec format error")
  t.equal(task.containers[1].reason, task.stopped_reason)
end)

-- ---- health --------------------------------------------------------------------------------------

t.test("health follows the container's checks", function()
  local world = ecs.empty()
  local check = { health_check = { command = { "CMD-SHELL", "true" }, interval = 10, retries = 2, start_period = 30 } }
  local arn = run(world, check)
  local started = wait_status(world, arn, "RUNNING").started_at
  t.equal(describe(world, arn).health_status, "UNKNOWN")
  t.advance(world, 12)
  t.equal(describe(world, arn).health_status, "HEALTHY")
  faults.set(world, "behaviour", "app:v1", { health = "unhealthy" })
  ecs.wait(world, 60, function() return describe(world, arn).health_status == "UNHEALTHY" end)
  within(world:now() - started, 25, 40, "two failed checks")
  t.equal(describe(world, arn).containers[1].health_status, "UNHEALTHY")
  t.equal(describe(world, arn).last_status, "RUNNING", "a task of no service is left alone")
end)

t.test("failures in the start period do not count", function()
  local world = ecs.empty()
  faults.set(world, "behaviour", "app:v1", { health = "unhealthy" })
  local check = { health_check = { command = { "CMD-SHELL", "true" }, interval = 10, retries = 2, start_period = 60 } }
  local arn = run(world, check)
  local started = wait_status(world, arn, "RUNNING").started_at
  ecs.wait(world, 200, function() return describe(world, arn).health_status == "UNHEALTHY" end)
  within(world:now() - started, 65, 85, "the verdict")
end)

t.test("a check that asks the application's page sees what the page answers", function()
  local world = ecs.empty()
  faults.set(world, "behaviour", "app:v1", { paths = { ["/ready"] = 503 } })
  local arn = run(world, {
    health_check = { command = { "CMD-SHELL", "curl -f http://localhost:3000/ready || exit 1" }, interval = 5, retries = 1 },
  })
  ecs.wait(world, 60, function() return describe(world, arn).health_status == "UNHEALTHY" end)
end)

t.test("without a check health stays unknown", function()
  local world = ecs.empty()
  local arn = run(world)
  t.advance(world, 300)
  t.equal(describe(world, arn).health_status, "UNKNOWN")
end)

-- ---- logs ----------------------------------------------------------------------------------------

t.test("what the application says is in its log stream", function()
  local world = ecs.empty()
  faults.set(world, "behaviour", "app:v1", { says = { "listening on 3000" }, exit = { code = 1, after = 5, says = "boom" } })
  local arn = run(world)
  wait_status(world, arn, "STOPPED")
  t.advance(world, 30)
  local events = t.call(world, "logs", "filter_log_events", { log_group_name = "/ecs/web" }).events
  t.equal({ #events, events[1].message, events[2].message }, { 2, "listening on 3000", "boom" })
  t.equal(events[1].log_stream_name, "ecs/web/" .. arn:match("[^/]+$"))
end)

-- ---- services ------------------------------------------------------------------------------------

t.test("tasks of a service carry its names and tags", function()
  local world = ecs.start {}
  ecs.call(world, "tag_resource",
    { resource_arn = ecs.service(world).service_arn, tags = { { key = "team", value = "web" } } })
  ecs.update(world, { propagate_tags = "SERVICE" })
  t.advance(world, 600)
  local service, arns = ecs.service(world), ecs.call(world, "list_tasks", { cluster = "prod" }).task_arns
  local task = ecs.call(world, "describe_tasks", { cluster = "prod", tasks = arns, include = { "TAGS" } }).tasks[1]
  t.equal({ task.group, task.started_by }, { "service:web", service.deployments[1].id })
  t.equal(task.tags, { { key = "team", value = "web" } })
  t.truthy(task.task_arn:match("^arn:aws:ecs:eu%-west%-1:123456789012:task/prod/%x+$"))
  t.truthy(task.containers[1].runtime_id:match("^%x+%-%d+$"))
end)

t.test("a crash loop in a rollout counts, slows nothing down, and is rolled back", function()
  local world = ecs.start { plain = true, breaker = { enable = true, rollback = true } }
  faults.set(world, "behaviour", "app:v2", { exit = { code = 1, after = 5 } })
  local at = world:now()
  ecs.update(world, { task_definition = ecs.define(world, ecs.image "app:v2") })
  ecs.wait(world, 900, function()
    return ecs.service(world).deployments[1].rollout_state_reason:find("rolling back", 1, true)
  end)
  t.equal(when(ecs.events(world, at), "is unable to consistently start"), nil)
  within(world:now() - at, 120, 330, "the rollback")
end)

t.finish()
