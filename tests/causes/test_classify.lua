-- The pure parts of moonbook.explain, in plain Lua: words, tasks, logs, targets, differences, sentences, order.

package.path = "lua/?.lua;" .. package.path
json = { encode = function(value) -- enough for comparing: keys in order
  if type(value) ~= "table" then
    return tostring(value)
  end
  local keys, parts = {}, {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    return tostring(a) < tostring(b)
  end)
  for index, key in ipairs(keys) do
    parts[index] = tostring(key) .. "=" .. json.encode(value[key])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end }

local causes = require "moonbook.explain.causes"
local changes = require "moonbook.explain.changes"
local findings = require "moonbook.explain.findings"
local health = require "moonbook.explain.health"
local log = require "moonbook.explain.log"
local sentences = require "moonbook.explain.sentences"
local tasks = require "moonbook.explain.tasks"
local texts = require "moonbook.explain.texts"

local passed, failed = 0, 0

local function test(name, body)
  local ok, problem = pcall(body)
  passed, failed = passed + (ok and 1 or 0), failed + (ok and 0 or 1)
  if not ok then
    print("not ok - " .. name .. ": " .. tostring(problem))
  end
end

local function equal(got, wanted, what)
  if got ~= wanted then
    error(("%s: got %s, expected %s"):format(what or "value", tostring(got), tostring(wanted)), 2)
  end
end

-- ---- words of ECS ----------------------------------------------------------------------------------

local PULL = "CannotPullContainerError: "
local AUTH = "ResourceInitializationError: unable to pull secrets or registry auth: "
local LOGGER = "ResourceInitializationError: failed to validate logger args: "

-- As ECS and its documentation word them, in versions old and new.
local WORDS = {
  { "image_not_found", PULL .. "Error response from daemon: manifest for 1.dkr.ecr.eu-west-1.amazonaws.com/a:v1 not "
    .. "found: manifest unknown: Requested image not found" },
  { "image_not_found", PULL .. "inspect image has been retried 1 time(s): failed to resolve ref "
    .. '"docker.io/library/a:nope": docker.io/library/a:nope: not found' },
  { "image_denied", PULL .. "Error response from daemon: pull access denied for a, repository does not exist or may "
    .. "require 'docker login': denied: requested access to the resource is denied" },
  { "image_denied", PULL .. "inspect image has been retried 1 time(s): failed to resolve ref \"1.dkr.ecr/a:v1\": "
    .. "unexpected status from HEAD request to https://1.dkr.ecr/v2/a/manifests/v1: 403 Forbidden" },
  { "image_rate_limited", PULL .. "inspect image has been retried 5 time(s): httpReaderSeeker: failed open: unexpected "
    .. "status code 429 Too Many Requests - toomanyrequests: You have reached your pull rate limit." },
  { "image_unreachable", PULL .. "inspect image has been retried 5 time(s): failed to resolve ref \"docker.io/a\": failed "
    .. "to do request: Head https://registry-1.docker.io/v2/a: dial tcp 44.205.64.79:443: i/o timeout" },
  { "image_unreachable", PULL .. "ref pull has been retried 5 time(s): failed to copy: httpReadSeeker: failed open: failed "
    .. "to do request: Get https://prod-eu-west-1-starport-layer-bucket.s3.amazonaws.com/x: dial tcp 1.2.3.4:443: i/o timeout" },
  { "image_wrong_architecture", PULL .. "pull image manifest has been retried 7 time(s): image Manifest does not contain "
    .. "descriptor matching platform 'linux/amd64'" },
  { "image_wrong_architecture", PULL .. "no matching manifest for linux/arm64 in the manifest list entries" },
  { "image_name_invalid", PULL .. "invalid reference format" },
  { "image_broken", PULL .. "ref pull has been retried 1 time(s): failed to unpack image on snapshotter overlayfs: x" },
  { "task_setup_failed", PULL .. "a thing that nobody has seen" },
  { "registry_unreachable", AUTH .. "The task cannot pull registry auth from Amazon ECR: There is a connection issue "
    .. "between the task and Amazon ECR. Check your task network configuration." },
  { "registry_denied", AUTH .. "execution resource retrieval failed: unable to retrieve ecr registry auth: service call has "
    .. "been retried 3 time(s): AccessDeniedException: User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: "
    .. "ecr:GetAuthorizationToken on resource: * because no identity-based policy allows it" },
  { "secrets_unreachable", AUTH .. "unable to retrieve secret from asm: There is a connection issue between the task and AWS "
    .. "Secrets Manager. failed to fetch secret arn:aws:x from secrets manager: context deadline exceeded" },
  { "secrets_unreachable", AUTH .. "unable to retrieve secrets from ssm: The task cannot pull secrets from AWS Systems "
    .. "Manager. There is a connection issue between the task and AWS Systems Manager Parameter Store." },
  { "secret_denied", AUTH .. "execution resource retrieval failed: unable to retrieve secrets from ssm: service call has been "
    .. "retried 1 time(s): AccessDeniedException: User: x is not authorized to perform: ssm:GetParameters on resource: arn:y" },
  { "secret_denied", AUTH .. "execution resource retrieval failed: unable to retrieve secret from asm: service call has been "
    .. "retried 1 time(s): failed to fetch secret arn:z from secrets manager: AccessDeniedException: Access to KMS is not allowed" },
  { "secret_missing", AUTH .. "execution resource retrieval failed: unable to retrieve secret from asm: ResourceNotFoundException: "
    .. "Secrets Manager can't find the specified secret." },
  { "secret_no_version", AUTH .. "x: ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging "
    .. "label: AWSCURRENT" },
  { "secret_key_missing", AUTH .. "execution resource retrieval failed: unable to retrieve secret from asm: retrieved secret from "
    .. "Secrets Manager did not contain json key password" },
  { "secret_missing", AUTH .. "unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid parameters: /a/b" },
  { "log_group_missing", LOGGER .. "create stream has been retried 1 times: failed to create Cloudwatch log stream: "
    .. "ResourceNotFoundException: The specified log group does not exist.: exit status 1" },
  { "logs_denied", LOGGER .. "create stream has been retried 1 times: AccessDeniedException: User: x is not authorized to "
    .. "perform: logs:CreateLogStream on resource: y" },
  { "logs_unreachable", LOGGER .. "create stream has been retried 1 times: RequestError: send request failed caused by: Post "
    .. "https://logs.eu-west-1.amazonaws.com/: dial tcp 1.2.3.4:443: i/o timeout" },
  { "env_file_failed", "ResourceInitializationError: failed to download env files: file download command: non empty error stream: "
    .. "service call has been retried 1 time(s): AccessDenied" },
  { "volume_failed", "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: mount.nfs4: "
    .. "Connection timed out" },
  { "network_interface_failed", "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment enabled "
    .. "in subnet 'subnet-1': InsufficientFreeAddressesInSubnet" },
  { "network_interface_failed", "Timeout waiting for network interface provisioning to complete." },
  { "entry_point_missing", "CannotStartContainerError: Error response from daemon: failed to create shim task: OCI runtime create "
    .. 'failed: unable to start container process: exec: "npm": executable file not found in $PATH: unknown' },
  { "image_wrong_architecture", "CannotStartContainerError: standard_init_linux.go:228: exec user process caused: exec format error" },
  { "container_cannot_start", "CannotCreateContainerError: API error (500): devmapper: Thin Pool has 1 free blocks" },
  { "container_start_timeout", "ContainerRuntimeTimeoutError: Could not transition to running; timed out after waiting 3m: x" },
  { "out_of_memory", "OutOfMemoryError: Container killed due to memory usage" },
  { "quota_exceeded", "You've reached the limit on the number of vCPUs you can run concurrently" },
}

for _, case in ipairs(WORDS) do
  test("words: " .. case[1] .. ": " .. case[2]:sub(1, 90), function()
    equal(texts.code(case[2]), case[1])
  end)
end

test("ordinary reasons name no cause by their words", function()
  equal(texts.code "Scaling activity initiated by (deployment ecs-svc/1)", nil)
  equal(texts.code "Essential container in task exited", nil)
  equal(texts.code(nil), nil)
end)

test("a refused secret tells the role, the action and the secret", function()
  local values = texts.values("User: arn:aws:sts::1:assumed-role/web-execution/abc is not authorized to perform: "
    .. "secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:eu-west-1:1:secret:db-AbCdEf because")
  equal(values.role, "web-execution")
  equal(values.action, "secretsmanager:GetSecretValue")
  equal(values.secret, "arn:aws:secretsmanager:eu-west-1:1:secret:db-AbCdEf")
end)

-- ---- tasks -----------------------------------------------------------------------------------------

local function exited(containers)
  return { desired_status = "STOPPED", last_status = "STOPPED", stop_code = "EssentialContainerExited",
    stopped_reason = "Essential container in task exited", containers = containers }
end

for exit_code, code in pairs {
  [0] = "app_exited", [1] = "app_crashed", [2] = "app_crashed", [127] = "entry_point_missing", [134] = "app_crashed",
  [137] = "container_killed", [139] = "app_segfault", [143] = "app_terminated", [255] = "app_crashed",
} do
  test(("exit code %d is %s"):format(exit_code, code), function()
    equal(tasks.classify(exited { { name = "web", exit_code = exit_code } }).code, code)
  end)
end

test("137 with OutOfMemory is out of memory", function()
  local why = tasks.classify(exited { { name = "web", exit_code = 137,
    reason = "OutOfMemoryError: Container killed due to memory usage" } })
  equal(why.code, "out_of_memory")
  equal(why.confidence, "certain")
end)

test("the container that crashed is named, not the one that was stopped with it", function()
  local why = tasks.classify(exited { { name = "proxy", exit_code = 143 }, { name = "web", exit_code = 1 } })
  equal(why.container, "web")
  equal(why.confidence, "certain")
end)

test("a container that is not essential is not to blame when the definition is known", function()
  local definition = { container_definitions = { { name = "init", essential = false }, { name = "web", essential = true } } }
  local task = exited { { name = "init", exit_code = 1 }, { name = "web", exit_code = 0 } }
  equal(tasks.classify(task, definition).container, "web")
  equal(tasks.classify(task, definition).code, "app_exited")
end)

test("which of two killed containers ended the task is likely at best", function()
  equal(tasks.classify(exited { { name = "a", exit_code = 137 }, { name = "b", exit_code = 137 } }).confidence, "likely")
end)

test("a task that was scaled in, replaced or rolled back has no fault", function()
  equal(tasks.classify { desired_status = "STOPPED", stop_code = "ServiceSchedulerInitiated",
    stopped_reason = "Scaling activity initiated by (deployment ecs-svc/1)", containers = { { name = "a", exit_code = 137 } } }, nil)
end)

test("a task killed after failing the load balancer's checks is no crash", function()
  equal(tasks.classify { desired_status = "STOPPED", stop_code = "ServiceSchedulerInitiated", stopped_reason = "Task failed ELB "
    .. "health checks in (target-group arn)", containers = { { name = "a", exit_code = 137 } } }.code, "targets_unhealthy")
end)

test("a task that runs well is not classified, one that is UNHEALTHY is", function()
  equal(tasks.classify { desired_status = "RUNNING", last_status = "RUNNING", health_status = "HEALTHY", containers = {} }, nil)
  equal(tasks.classify { desired_status = "RUNNING", last_status = "RUNNING", health_status = "UNHEALTHY",
    containers = { { name = "a", health_status = "UNHEALTHY" } } }.container, "a")
end)

test("the same words mean a missing log group at once and a sealed network after minutes", function()
  local reason = LOGGER .. "The task cannot find the Amazon CloudWatch log group defined in the task definition. There is a "
    .. "connection issue between the task and Amazon CloudWatch. Check your network configuration."
  local function after(seconds)
    return tasks.classify { desired_status = "STOPPED", stop_code = "TaskFailedToStart", stopped_reason = reason,
      created_at = 1000, stopping_at = 1000 + seconds, containers = {} }.code
  end
  equal(after(30), "log_group_missing")
  equal(after(290), "logs_unreachable")
end)

test("a reason that no rule knows is a task that could not be set up, not nothing", function()
  equal(tasks.classify { desired_status = "STOPPED", stop_code = "TaskFailedToStart", stopped_reason = "Novel trouble",
    containers = {} }.code, "task_setup_failed")
  equal(tasks.classify { desired_status = "STOPPED", stop_code = "SomethingNew", stopped_reason = "Novel trouble",
    containers = {} }.code, "unknown")
end)

test("tasks that differ in ids and counts of retries alone are one group", function()
  local function pulled(id, times)
    return { desired_status = "STOPPED", stop_code = "TaskFailedToStart", containers = {}, task_arn = "a/" .. id,
      stopped_reason = PULL .. "pull image manifest has been retried " .. times .. " time(s): x: not found" }
  end
  local groups = tasks.groups { pulled("1", 5), pulled("2", 7), exited { { name = "web", exit_code = 1 } } }
  equal(#groups, 2)
  equal(groups[1].count, 2)
  equal(groups[1].code, "image_not_found")
end)

-- ---- logs ------------------------------------------------------------------------------------------

local function hints(...)
  local events = {}
  for index, line in ipairs { ... } do
    events[index] = { message = line, timestamp = 1000 * index }
  end
  return log.hints(events)
end

for line, setting in pairs {
  ['{"level":"error","message":"DATABASE_URL is not set"}'] = "DATABASE_URL",
  ["KeyError: 'SECRET_KEY'"] = "SECRET_KEY",
  ["Error: Missing required environment variable: STRIPE_API_KEY"] = "STRIPE_API_KEY",
  ["panic: PORT is not set"] = "PORT",
  ["pydantic: field required [REDIS_HOST]"] = "REDIS_HOST",
} do
  test("a log names a setting that is missing: " .. line, function()
    equal(hints(line).setting and hints(line).setting.value, setting)
  end)
end

test("error codes are no settings", function()
  equal(hints("Error [ERR_MODULE_NOT_FOUND]: missing package").setting, nil)
  equal(hints("connect ECONNREFUSED 10.0.0.1:5432").setting, nil)
end)

test("a log tells of a dependency", function()
  equal(hints("psycopg2.OperationalError: could not translate host name \"db\" to address").dependency ~= nil, true)
  equal(hints("Error: getaddrinfo ENOTFOUND redis.internal").dependency ~= nil, true)
end)

test("a log tells the port and address it listens on", function()
  equal(hints("12:00:05 Server listening on port 8080").listening.port, 8080)
  equal(hints("Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)").listening.port, 8000)
  equal(hints("Uvicorn running on http://127.0.0.1:8000").listening.localhost, true)
  equal(hints("listening on 0.0.0.0:3000").listening.port, 3000)
end)

-- ---- targets ---------------------------------------------------------------------------------------

for why, code in pairs {
  ["Health checks failed with these codes: [404]"] = "health_path_wrong",
  ["Health checks failed with these codes: [500]"] = "app_unhealthy",
  ["Health checks failed with these codes: [404, 502]"] = "app_unhealthy",
  ["Health checks failed with these codes: [302]"] = "health_status_not_accepted",
  ["Health checks failed with these codes: [401]"] = "health_status_not_accepted",
  ["Request timed out"] = "target_timeout",
  ["Health checks failed"] = "app_not_listening",
  ["Health checks failed due to an internal error"] = "balancer_error",
} do
  test("a target's reason: " .. why, function()
    equal(health.code(why), code)
  end)
end

test("an event of an unhealthy target is read whole", function()
  local told = health.events { { created_at = 5, message = "(service s) (task abc123) (port 3000) is unhealthy in (target-group "
    .. "arn:aws:x:targetgroup/s/1) due to (reason Health checks failed with these codes: [404])." } }
  equal(told.abc123.why, "Health checks failed with these codes: [404]")
  equal(told.abc123.group, "arn:aws:x:targetgroup/s/1")
end)

-- ---- differences -----------------------------------------------------------------------------------

local function definition(more)
  local container = { name = "web", image = "web:1", environment = { { name = "A", value = "secret-one" } } }
  for key, value in pairs(more or {}) do
    container[key] = value
  end
  return { container_definitions = { container }, cpu = "256", memory = "512" }
end

test("the value of an environment variable is never shown", function()
  local lines = changes.of_definitions(definition(), definition { environment = {
    { name = "A", value = "secret-two" }, { name = "B", value = "secret-three" },
  } })
  equal(#lines, 2)
  for _, line in ipairs(lines) do
    equal(line:find("secret%-"), nil, line)
  end
end)

test("options of a log driver other than awslogs are not shown", function()
  local function logging(token)
    return definition { log_configuration = { log_driver = "splunk", options = { ["splunk-token"] = token } } }
  end
  local lines = changes.of_definitions(logging "one", logging "two")
  equal(lines[1], "log option splunk-token of web: changed")
  equal(#lines, 1)
end)

test("an image, memory and a container that went are told", function()
  local after = definition { image = "web:2" }
  after.memory = "1024"
  local text = table.concat(changes.of_definitions(definition(), after), "\n")
  equal(text, "image of web: web:1 -> web:2\nmemory: 512 -> 1024")
  after.container_definitions[1].name = "www"
  equal(table.concat(changes.of_definitions(definition(), after), "\n"):find("container web: removed", 1, true) ~= nil, true)
end)

test("the same twice is no difference", function()
  equal(#changes.of_definitions(definition(), definition()), 0)
end)

-- ---- the list of causes ----------------------------------------------------------------------------

test("every cause has a title, a meaning, and something to do whatever is known", function()
  for code, cause in pairs(causes) do
    equal(type(cause.title), "string", code .. " title")
    equal(type(cause.meaning), "string", code .. " meaning")
    local lines = sentences.treatment(code, { cluster = "c", service = "s" })
    equal(#lines > 0, true, code .. " treatment without other values")
    equal(sentences.summary(code, {}):find("{", 1, true), nil, code .. " summary")
  end
end)

test("a sentence whose values are not all known falls back to the title", function()
  equal(sentences.summary("image_not_found", {}), "Image not found.")
  equal(sentences.summary("image_not_found", { image = "a:1" }), "Image a:1 is not in its registry.")
end)

-- ---- order -----------------------------------------------------------------------------------------

local function evidence(more)
  local ev = {
    cluster = "c", name = "s", now = 5000, created_at = 4000, from = 3999, id = "ecs-svc/2", events = {}, stopped = {},
    running = {}, foreign = {}, groups = {}, unread = {}, complete = false,
    service = { status = "ACTIVE", deployments = {} }, record = { status = "IN_PROGRESS" },
  }
  for key, value in pairs(more or {}) do
    ev[key] = value
  end
  return ev
end

local function codes(ev)
  local groups = tasks.groups(ev.stopped)
  local out = {}
  for index, finding in ipairs(findings.conclude(findings.collect(ev, groups), ev)) do
    out[index] = finding.code
  end
  return table.concat(out, " ")
end

local function many(count, task)
  local out = {}
  for index = 1, count do
    out[index] = task
  end
  return out
end

test("what most stopped tasks say comes first", function()
  local stopped = many(3, exited { { name = "web", exit_code = 1 } })
  table.insert(stopped, 1, exited { { name = "web", exit_code = 139 } })
  equal(codes(evidence { stopped = stopped }), "app_crashed app_segfault")
end)

test("an alarm comes after what tasks say, and before tasks that Spot took", function()
  local alarmed = { status = "ROLLBACK_SUCCESSFUL", alarms = { status = "TRIGGERED", triggered_alarm_names = { "a" } } }
  equal(codes(evidence { record = alarmed, stopped = { exited { { name = "web", exit_code = 1 } } } }), "app_crashed alarm_triggered")
  local spot = { desired_status = "STOPPED", stop_code = "SpotInterruption", stopped_reason = "Your Spot Task was interrupted." }
  equal(codes(evidence { record = alarmed, stopped = { spot } }), "alarm_triggered spot_interruption")
end)

test("failed tasks whose reasons are gone are not taken for a deployment that is just slow", function()
  local record = { status = "STOPPED", status_reason = "x", deployment_circuit_breaker = { status = "TRIGGERED", failure_count = 3 } }
  equal(codes(evidence { record = record }), "tasks_failed")
  equal(codes(evidence()), "still_in_progress")
end)

test("a hook that waits, one that failed and one whose time ran out", function()
  local function hooked(status)
    return codes(evidence { record = { status = "IN_PROGRESS", lifecycle_hook_details = { { hook_id = "h", status = status } } } })
  end
  equal(hooked "AWAITING_ACTION", "hook_waits")
  equal(hooked "FAILED", "hook_failed")
  equal(hooked "TIMED_OUT", "hook_timed_out")
end)

test("an end that nobody can read the reason of is unknown, not nothing", function()
  equal(codes(evidence { record = { status = "ROLLBACK_FAILED", status_reason = "Novel trouble" } }), "unknown")
end)

test("an obstacle that later tasks got past is only possible", function()
  local ev = evidence {
    events = { { created_at = 4100, message = "(service s) was unable to place a task. Reason: Capacity is unavailable at this time." } },
    running = { { task_arn = "a/1", created_at = 4200, desired_status = "RUNNING", last_status = "RUNNING" } },
  }
  equal(codes(ev), "still_in_progress capacity_unavailable")
end)

print(("%d passed, %d failed"):format(passed, failed))
os.exit(failed == 0 and 0 or 1)
