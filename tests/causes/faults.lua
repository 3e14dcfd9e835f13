-- Seeded faults, each with its true cause: what moonbook.explain must name first. tests/causes/table.lua runs them and
-- makes the table of hits and misses. The truth is known here alone: explain only calls AWS.
--
-- A world is the guide's service (stock scenarios) or "shop-prod": `shop` fields, then what goes wrong.

local SHOP = "shop-prod"
local V2 = "shop-prod:v2"

-- ---- words ---------------------------------------------------------------------------------------

local function merge(into, from)
  for key, value in pairs(from or {}) do
    into[key] = value
  end
  return into
end

-- A service of four tasks behind a load balancer, with a circuit breaker that rolls back; `more` overrides.
local function shop(seed, more)
  return { "reset", { seed = seed } },
    { "service", merge({ app = "shop", env = "prod", desired = 4, image = "shop-prod:v1" }, more) }
end

local function image(behaviour)
  return { "image", merge({ name = V2 }, behaviour) }
end

local function crash(code, says)
  return { "image", { name = V2, crash = { exit = code, after = "6s", says = says } } }
end

local function deploy(more)
  return { "deploy", merge({ service = SHOP, image = V2 }, more) }
end

local function wait(time)
  return { "advance", { time = time } }
end

local function later(time, command, args)
  return { "at", { time = time, command = command, args = args } }
end

local function restart(name)
  return { "someone_calls", {
    service = "ecs", operation = "update_service", input = { cluster = name, service = name,
      force_new_deployment = true },
  } }
end

-- One fault. `args` are further arguments of the runbook.
local function fault(cause, name, world, args)
  local target = args and args.service or SHOP
  return {
    name = name,
    cause = cause,
    world = world,
    run = { runbook = "causes/explain", args = merge({ cluster = target, service = target }, args) },
    expect = { message = "first: " .. cause .. ";" },
  }
end

local GUIDE = { service = "aistudio-dev" }
local function guide(cause, name, world)
  return fault(cause, name, world, GUIDE)
end

local function with_first(first, second, rest)
  local world = { first, second }
  for index = 1, #rest do
    world[#world + 1] = rest[index]
  end
  return world
end

-- The world of a shop: `make` are seed and fields of it, the rest what happens then.
local function at_shop(seed, more, happens)
  local first, second = shop(seed, more)
  return with_first(first, second, happens)
end

local PLAIN = { load_balancer = false }
local NO_BREAKER = { circuit_breaker = { enable = false, rollback = false } }
local NO_ROLLBACK = { circuit_breaker = { enable = true, rollback = false } }
local SECRET = { secrets = { DATABASE_URL = "shop/prod/database" } }

return {
  -- ---- the image ---------------------------------------------------------------------------------
  guide("image_not_found", "an image that was never pushed, three minutes after the update", "bad_image"),
  fault("image_not_found", "a tag that does not exist, four tasks without a load balancer, rolled back",
    at_shop(11, PLAIN, { image { missing = true }, deploy(), wait "40m" })),
  fault("image_not_found", "the image that runs was deleted and the service restarted",
    at_shop(12, { desired = 2 }, { { "delete_image", { image = "shop-prod:v1" } }, restart(SHOP), wait "30m" })),
  fault("image_not_found", "the stopped tasks are forgotten, the events are not",
    at_shop(13, PLAIN, { image { missing = true }, deploy(), wait "3h" })),
  fault("image_denied", "a repository of somebody else",
    at_shop(14, { desired = 3 }, { image { missing = "denied" }, deploy(), wait "30m" })),
  fault("image_wrong_architecture", "built on an ARM machine",
    at_shop(15, {}, { image { architecture = "arm64" }, deploy(), wait "6m" })),
  fault("image_wrong_architecture", "built for x86, run on ARM, no breaker",
    at_shop(16, merge({ architecture = "arm64", desired = 1 }, NO_BREAKER), {
      image { architecture = "amd64" }, deploy(), wait "20m",
    })),
  fault("image_wrong_architecture", "an entry point of another architecture in an image that says otherwise",
    at_shop(17, { desired = 2 }, {
      image { start_error = 'exec /app/server: exec format error' }, deploy(), wait "12m",
    })),

  -- ---- what a task needs --------------------------------------------------------------------------
  guide("secret_denied", "the execution role lost a secret",
    { "service", { "secret", { name = "aistudio/dev/database", denied = true } }, restart "aistudio-dev", wait "5m" }),
  fault("secret_denied", "no role may read secrets any more, ten tasks, no load balancer",
    at_shop(21, merge({ desired = 10, load_balancer = false }, SECRET), {
      { "deny", { action = "secretsmanager:GetSecretValue" } }, image {}, deploy(), wait "20m",
    })),
  fault("secret_missing", "a secret was deleted",
    at_shop(22, SECRET, { { "secret", { name = "shop/prod/database", missing = true } }, image {}, deploy(),
      wait "15m" })),
  fault("secret_no_version", "a secret without a value",
    at_shop(23, merge({ desired = 1 }, SECRET), {
      { "secret", { name = "shop/prod/database", no_version = true } }, image {}, deploy(), wait "15m",
    })),
  fault("secret_missing", "a parameter that was never made",
    at_shop(24, { desired = 2 }, {
      image {}, deploy { change = { secrets = { { name = "KEY", value_from = "/shop/prod/key" } } } }, wait "10m",
    })),
  fault("registry_denied", "the execution role may not log in to the registry",
    at_shop(25, PLAIN, { { "deny", { action = "ecr:GetAuthorizationToken" } }, image {}, deploy(), wait "15m" })),
  fault("registry_unreachable", "no route to the registry",
    at_shop(26, { desired = 2 }, { { "no_route", { to = "ecr" } }, image {}, deploy(), wait "25m" })),
  fault("secrets_unreachable", "no route to the secrets",
    at_shop(27, SECRET, { { "no_route", { to = "secretsmanager" } }, image {}, deploy(), wait "25m" })),
  fault("log_group_missing", "the log group was deleted",
    at_shop(28, { desired = 3 }, {
      { "someone_calls", { service = "logs", operation = "delete_log_group",
        input = { log_group_name = "/ecs/shop-prod" } } },
      image {}, deploy(), wait "10m",
    })),
  fault("logs_unreachable", "no route to the logs",
    at_shop(29, { desired = 1 }, { { "no_route", { to = "logs" } }, image {}, deploy(), wait "25m" })),

  -- ---- the container's start ----------------------------------------------------------------------
  fault("entry_point_missing", "an entry point that is not in the image",
    at_shop(31, {}, { image {
      start_error = 'runc create failed: unable to start container process: exec: "/app/serve": stat /app/serve: '
        .. "no such file or directory: unknown",
    }, deploy(), wait "10m" })),
  fault("container_cannot_start", "the runtime refuses the container",
    at_shop(32, PLAIN, { image { start_error = "OCI runtime create failed: cgroup limit out of range" }, deploy(),
      wait "10m" })),
  fault("entry_point_missing", "a shell that does not find the command",
    at_shop(33, merge({ desired = 1 }, PLAIN), {
      image { crash = { exit = 127, after = "1s", says = "/entrypoint.sh: line 3: gunicorn: command not found" } },
      deploy(), wait "15m",
    })),

  -- ---- the application ends -----------------------------------------------------------------------
  guide("configuration_missing", "a variable is not set and the application ends", "crash_loop"),
  fault("out_of_memory", "memory runs out after forty seconds",
    at_shop(41, { memory = 2048 }, { image { out_of_memory = "40s" }, deploy(), wait "20m" })),
  fault("out_of_memory", "memory runs out, no load balancer, no breaker, still under way",
    at_shop(42, merge(merge({ desired = 2 }, PLAIN), NO_BREAKER), { image { out_of_memory = "25s" }, deploy(),
      wait "9m" })),
  fault("out_of_memory", "the heap is full and the runtime gives up",
    at_shop(43, { desired = 2 }, {
      image { crash = { exit = 134, after = "30s", says = {
        "<--- Last few GCs --->", "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
      } } }, deploy(), wait "20m",
    })),
  fault("out_of_memory", "a service that ran well begins to run out of memory",
    at_shop(44, { desired = 2 }, { { "behave", { image = "shop-prod:v1", out_of_memory = "30s" } }, wait "10m" })),
  fault("container_killed", "killed by something in the task",
    at_shop(45, PLAIN, { image { crash = { exit = 137, after = "20s" } }, deploy(), wait "12m" })),
  fault("app_segfault", "a native module that does not fit",
    at_shop(46, {}, { image { crash = { exit = 139, after = "3s" } }, deploy(), wait "12m" })),
  fault("app_terminated", "a supervisor in the container ends it",
    at_shop(47, PLAIN, { image { crash = { exit = 143, after = "15s" } }, deploy(), wait "12m" })),
  fault("app_crashed", "exit code 2 and nothing in the log, ten tasks, no rollback",
    at_shop(48, merge({ desired = 10 }, NO_ROLLBACK), { image { crash = { exit = 2, after = "5s" } }, deploy(),
      wait "20m" })),
  fault("app_crashed", "an exception at the first request, both versions alike: the rollback fails as well",
    at_shop(49, { desired = 1 }, {
      { "behave", { image = "shop-prod:v1", crash = { exit = 1, after = "12s",
        says = "TypeError: x is not a function" } } },
      restart(SHOP), wait "40m",
    })),
  fault("app_exited", "a command that is done and ends",
    at_shop(50, PLAIN, { image { crash = { exit = 0, after = "4s", says = "migrations applied" } }, deploy(),
      wait "12m" })),
  fault("dependency_unreachable", "the database does not answer",
    at_shop(51, {}, { image { crash = { exit = 1, after = "10s", says = {
      '{"level":"info","message":"starting"}', "Error: connect ECONNREFUSED 10.0.3.7:5432",
    } } }, deploy(), wait "15m" })),
  fault("configuration_missing", "a variable was taken out of the task definition",
    at_shop(52, { desired = 2 }, { image { crash = { exit = 1, after = "2s", says = "KeyError: 'ENVIRONMENT'" } },
      deploy { change = { environment = {} } }, wait "15m" })),
  fault("app_crashed", "an essential sidecar crashes, the application is well",
    at_shop(53, { desired = 2 }, {
      { "image", { name = "proxy:v1", crash = { exit = 1, after = "20s", says = "bad config" } } }, image {},
      deploy { sidecars = { { name = "proxy", image = "proxy:v1" } } }, wait "20m",
    })),

  -- ---- health checks ------------------------------------------------------------------------------
  guide("health_path_wrong", "the health page is gone", "unhealthy_path"),
  fault("health_path_wrong", "somebody mistyped the path of the health check",
    at_shop(61, {}, { { "change_health_check", { name = SHOP, path = "/healthz" } }, image {}, deploy(), wait "5m" })),
  fault("health_path_wrong", "a first deployment that never comes up",
    { { "reset", { seed = 62 } }, { "image", { name = "shop-prod:v1", paths = { ["/"] = 200 } } },
      { "service", { app = "shop", env = "prod", desired = 2, image = "shop-prod:v1", wait = false } }, wait "30m" }),
  fault("app_unhealthy", "every page is an error, rolled back",
    at_shop(63, {}, { image { status = 500 }, deploy(), wait "20m" })),
  fault("app_unhealthy", "errors make an alarm of the deployment go off",
    at_shop(64, { alarms = true, deployment_alarms = { "shop-prod-unhealthy-targets" } }, {
      image { status = 503 }, deploy(), wait "15m",
    })),
  fault("app_unhealthy", "a service that ran well begins to fail",
    at_shop(65, { desired = 2 }, { { "behave", { image = "shop-prod:v1", status = 502 } }, wait "4m" })),
  fault("health_status_not_accepted", "the health page wants a login",
    at_shop(66, { desired = 1 }, { image { status = 401 }, deploy(), wait "6m" })),
  fault("health_status_not_accepted", "everything redirects to HTTPS",
    at_shop(67, NO_BREAKER, { image { status = 301 }, deploy(), wait "12m" })),
  fault("target_timeout", "the application hangs from the start",
    at_shop(68, {}, { image { hang = true }, deploy(), wait "20m" })),
  fault("target_timeout", "every answer takes eight seconds",
    at_shop(69, { desired = 2 }, { image { latency = "8s" }, deploy(), wait "6m" })),
  fault("target_timeout", "the application hangs after a while",
    at_shop(70, { desired = 1 }, { image { hang_after = "50s" }, deploy(), wait "12m" })),
  fault("app_not_listening", "it listens on another port",
    at_shop(71, {}, { image { start = "24h", says = "Server listening on port 8080" }, deploy(), wait "20m" })),
  fault("app_not_listening", "it listens on localhost alone",
    at_shop(72, { desired = 1 }, { image { start = "24h", says = "listening on http://127.0.0.1:3000" }, deploy(),
      wait "10m" })),
  fault("app_not_listening", "it says nothing and does not listen",
    at_shop(73, NO_ROLLBACK, { image { start = "24h" }, deploy(), wait "25m" })),
  fault("health_port_wrong", "the health check asks the port of something else",
    at_shop(74, { desired = 2 }, { { "change_health_check", { name = SHOP, port = 9000 } }, image {}, deploy(),
      wait "15m" })),
  guide("slow_start", "it listens after two and a half minutes, and has one", { "slow_start", wait "4m" }),
  guide("slow_start", "the same while its log is still empty", "slow_start"),
  fault("slow_start", "it loads a model for four minutes",
    at_shop(75, {}, { image { start = "4m", says = "loading model weights, please wait" }, deploy(), wait "20m" })),
  fault("slow_start", "it listens just when it is being stopped",
    at_shop(76, { desired = 1, deregistration_delay = 60 }, { image { start = "130s" }, deploy(), wait "20m" })),
  fault("container_check_failed", "the container's own check fails",
    at_shop(77, PLAIN, { image { health = "unhealthy" }, deploy { change = { health_check = {
      command = { "CMD-SHELL", "curl -f http://localhost:3000/ready" }, interval = 10, timeout = 5, retries = 3,
    } } }, wait "12m" })),
  fault("slow_start", "the container's own check does not wait for it",
    at_shop(78, merge({ desired = 2 }, PLAIN), {
      image { start = "3m", says = "warming up caches" }, deploy { change = { health_check = {
        command = { "CMD-SHELL", "curl -f http://localhost:3000/" }, interval = 10, timeout = 5, retries = 3,
      } } }, wait "12m",
    })),
  fault("target_group_unused", "nothing forwards to the target group",
    at_shop(79, { desired = 2 }, { image {}, deploy(), { "remove_listeners", { name = SHOP } }, wait "15m" })),

  -- ---- the scheduler ------------------------------------------------------------------------------
  guide("capacity_unavailable", "Fargate has no room", "no_capacity"),
  fault("capacity_unavailable", "Fargate has no room and the breaker ends it",
    at_shop(81, {}, { { "no_capacity", { service = SHOP } }, image {}, deploy(), wait "40m" })),
  fault("quota_exceeded", "the account's quota is used up",
    at_shop(82, NO_BREAKER, { { "no_capacity", { service = SHOP, why = "limit" } }, image {}, deploy(), wait "10m" })),
  fault("bounds_block", "bounds that leave no room",
    at_shop(83, { desired = 1, minimum_healthy_percent = 50, maximum_percent = 100 }, { image {}, deploy(),
      wait "10m" })),
  fault("tasks_protected", "old tasks protect themselves",
    at_shop(84, { desired = 2 }, { { "protect_tasks", { service = SHOP } }, image {}, deploy(), wait "12m" })),

  -- ---- from outside, and not over -----------------------------------------------------------------
  fault("alarm_triggered", "an alarm goes off while the new tasks are well",
    at_shop(91, { alarms = true, deployment_alarms = { "shop-prod-high-error-rate" } }, {
      image {}, later("150s", "force_alarm", { name = "shop-prod-high-error-rate" }), deploy(), wait "15m",
    })),
  fault("app_unhealthy", "errors, no breaker: it is an alarm that ends it",
    at_shop(107, merge({ alarms = true, deployment_alarms = { "shop-prod-unhealthy-targets" } }, NO_BREAKER), {
      image { status = 500 }, deploy(), wait "30m",
    })),
  fault("app_crashed", "a crash, no breaker: it is an alarm that ends it",
    at_shop(108, merge({ alarms = true, deployment_alarms = { "shop-prod-high-cpu" } }, NO_BREAKER), {
      image { crash = { exit = 1, after = "9s" } }, later("4m", "force_alarm", { name = "shop-prod-high-cpu" }),
        deploy(), wait "15m",
    })),
  fault("secret_denied", "a parameter that the execution role may not read",
    at_shop(109, PLAIN, { { "parameter", { name = "/shop/prod/key", value = "x" } },
      { "fault", { kind = "secret", key = "/shop/prod/key", value = "denied" } }, image {},
      deploy { change = { secrets = { { name = "KEY", value_from = "/shop/prod/key" } } } }, wait "10m" })),
  fault("image_not_found", "the image of a sidecar that was never pushed",
    at_shop(110, { desired = 2 }, { image {}, { "image", { name = "proxy:v9", missing = true } },
      deploy { sidecars = { { name = "proxy", image = "proxy:v9" } } }, wait "12m" })),
  fault("superseded", "somebody deploys again a minute later",
    at_shop(92, {}, { image {}, { "image", { name = "shop-prod:v3" } }, deploy(), wait "60s",
      { "deploy", { service = SHOP, image = "shop-prod:v3" } }, wait "10m" }), { nth = 2 }),
  fault("rolled_back_by_request", "somebody has it rolled back",
    at_shop(93, {}, { image {}, deploy(), wait "40s", { "stop_deployment", { service = SHOP } }, wait "10m" })),
  fault("app_crashed", "somebody has it rolled back because it crashes",
    at_shop(94, { desired = 1 }, { image { crash = { exit = 3, after = "5s" } }, deploy(), wait "150s",
      { "stop_deployment", { service = SHOP } }, wait "10m" })),
  fault("spot_interruption", "Fargate Spot takes tasks of a rollout",
    at_shop(95, PLAIN, { image {}, deploy(), wait "50s", { "interrupt_tasks", { service = SHOP, count = 2 } },
      wait "20s" })),
  fault("task_stopped_by_user", "somebody stops the new tasks",
    at_shop(96, PLAIN, { image {}, deploy(), wait "50s",
      { "stop_tasks", { service = SHOP, count = 2, reason = "cleaning up" } }, wait "20s" })),
  fault("still_in_progress", "nothing is wrong, it is just not over",
    at_shop(97, {}, { image {}, deploy(), wait "70s" })),
  fault("still_in_progress", "within the grace period it does not listen yet",
    at_shop(98, { grace = 300 }, { image { start = "200s", says = "starting" }, deploy(), wait "130s" })),
  fault("none", "a healthy service", at_shop(99, {}, {})),
  fault("service_deleted", "somebody deletes the service while it deploys",
    at_shop(100, {}, { image {}, deploy(), wait "60s", { "someone_calls", {
      service = "ecs", operation = "delete_service", input = { cluster = SHOP, service = SHOP, force = true },
    } }, wait "30s" })),

  -- ---- with less than everything to read ----------------------------------------------------------
  fault("app_crashed", "the history and the logs may not be read",
    at_shop(101, {}, { image { crash = { exit = 1, after = "6s", says = "DATABASE_URL is not set" } }, deploy(),
      wait "4m",
      { "deny_calls", { action = "ecs:ListServiceDeployments" } }, { "deny_calls", { action = "logs:*" } } })),
  fault("health_path_wrong", "ECS throttles every third call",
    at_shop(102, { desired = 2 }, { image { paths = { ["/"] = 200 } }, deploy(), wait "6m",
      { "throttle", { service = "ecs", percent = 30 } } })),
  fault("image_not_found", "asked for the primary deployment by its id, without the history",
    at_shop(103, { desired = 2 }, { image { missing = true }, deploy(), wait "5m",
      { "deny_calls", { action = "ecs:*ServiceDeployments" } }, { "deny_calls",
        { action = "ecs:DescribeServiceRevisions" } } }),
    { primary = true }),
  fault("app_segfault", "asked for by its id after ECS has rolled it back",
    at_shop(105, { desired = 2 }, { image { crash = { exit = 139, after = "4s" } }, deploy(), wait "15m" }),
      { failed = true }),
  fault("target_timeout", "asked for the primary deployment by its id",
    at_shop(106, NO_BREAKER, { image { hang = true }, deploy(), wait "9m" }), { primary = true }),
  fault("app_crashed", "three hours later, when ECS has forgotten the tasks",
    at_shop(104, {}, { image { crash = { exit = 1, after = "6s" } }, deploy(), wait "3h" })),

  fault("dependency_unreachable", "three hours later, when the log of a forgotten task still tells",
    at_shop(111, PLAIN, { crash(1, "Error: connect ECONNREFUSED 10.0.3.7:5432"), deploy(), wait "3h" })),
  fault("slow_start", "three hours later, when the log of a forgotten task still tells that it started slowly",
    at_shop(112, {}, { image { start = "4m", says = "loading model weights" }, deploy(), wait "3h" })),
  fault("logs_unreachable", "three hours later, when the log group is still there",
    at_shop(113, { desired = 1 }, { { "no_route", { to = "logs" } }, image {}, deploy(), wait "3h" })),

  -- ---- words of other programs: written after the rest, to see how far the words that log.lua knows reach ------
  fault("configuration_missing", "Django without its key",
    at_shop(201, PLAIN, { crash(1,
      "django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty."),
      deploy(), wait "12m" })),
  fault("configuration_missing", "Spring without a placeholder's value",
    at_shop(202, { desired = 2 }, { crash(1, { "Starting Application v1.2 using Java 17",
      "java.lang.IllegalArgumentException: Could not resolve placeholder 'DB_URL' in value \"${DB_URL}\"" }), deploy(),
        wait "12m" })),
  fault("configuration_missing", "a schema check of the environment",
    at_shop(203, PLAIN, { crash(1,
      '[ { "code": "invalid_type", "path": [ "STRIPE_SECRET" ], "message": "Required" } ]'),
      deploy(), wait "12m" })),
  fault("dependency_unreachable", "Rails without its database",
    at_shop(204, {}, { crash(1, "PG::ConnectionBad: could not connect to server: Connection refused"), deploy(),
      wait "12m" })),
  fault("dependency_unreachable", "Prisma without its database",
    at_shop(205, { desired = 1 }, { crash(1,
      "PrismaClientInitializationError: Can't reach database server at `db`:`5432`"),
      deploy(), wait "12m" })),
  fault("dependency_unreachable", "nginx without its upstream",
    at_shop(206, PLAIN, { crash(1,
      'nginx: [emerg] host not found in upstream "api" in /etc/nginx/conf.d/default.conf:5'),
      deploy(), wait "12m" })),
  fault("dependency_unreachable", "it waits for its database for ever instead of listening",
    at_shop(207, {}, { image { start = "24h",
      says = "retrying in 5s: dial tcp 10.0.0.5:5432: connect: connection refused" },
      deploy(), wait "15m" })),
  fault("app_crashed", "Go and a nil pointer",
    at_shop(208, {}, { crash(2, { "panic: runtime error: invalid memory address or nil pointer dereference",
      "goroutine 1 [running]:" }), deploy(), wait "12m" })),
  fault("app_crashed", "Node and a file that is not in the image",
    at_shop(209, PLAIN, { crash(1, "Error: Cannot find module '/app/dist/server.js'"), deploy(), wait "12m" })),
  fault("app_crashed", "Python and a module that is not in the image, fifty tasks",
    at_shop(210, { desired = 50 }, { crash(1, "ModuleNotFoundError: No module named 'flask'"), deploy(), wait "12m" })),
  fault("out_of_memory", "Java and its heap",
    at_shop(211, { desired = 2 }, { crash(3, "java.lang.OutOfMemoryError: Java heap space"), deploy(), wait "12m" })),
  fault("slow_start", "Spring takes three minutes",
    at_shop(212, {}, { image { start = "3m", says = "Starting Application v1.2 using Java 17" }, deploy(),
      wait "15m" })),
  fault("slow_start", "migrations run at the start",
    at_shop(213, { desired = 2 }, { image { start = "6m", says = "Applying shop.0042_split_orders..." }, deploy(),
      wait "15m" })),
  fault("app_not_listening", "gunicorn on localhost",
    at_shop(214, {}, { image { start = "24h",
      says = "[2026-01-01 10:00:00] [INFO] Listening at: http://127.0.0.1:8000 (1)" },
      deploy(), wait "15m" })),
  fault("app_not_listening", "Next on another port",
    at_shop(215, { desired = 1 }, { image { start = "24h", says = { "> next start", "- Local: http://localhost:3001",
      "Ready in 412ms" } },
      deploy(), wait "15m" })),
  fault("app_not_listening", "Tomcat on another port",
    at_shop(216, {}, { image { start = "24h", says = { "Starting service [Tomcat]",
      "Tomcat started on port(s): 8081 (http)" } },
      deploy(), wait "15m" })),
  fault("image_not_found", "the tasks may not be listed",
    at_shop(217, { desired = 2 }, { image { missing = true }, deploy(), wait "8m", { "deny_calls",
      { action = "ecs:ListTasks" } } })),
  fault("app_crashed", "most tasks crash, and Spot takes one",
    at_shop(218, PLAIN, { crash(1, "boom"), deploy(), wait "50s", { "interrupt_tasks", { service = SHOP, count = 1 } },
      wait "6m" })),
  fault("none", "capacity came back and the deployment is complete",
    at_shop(219, {}, { { "no_capacity", { service = SHOP, lasting = "90s" } }, image {}, deploy(), wait "20m" })),
  fault("secret_denied", "the old revision's tasks fail too, asked while the rollback goes on",
    at_shop(220, merge({ desired = 1 }, SECRET), { { "secret", { name = "shop/prod/database", denied = true } },
      image {}, deploy(), wait "8m",
      { "stop_tasks", { service = SHOP } }, wait "90s" })),

  -- ---- a second lot of words, written after log.lua had learned from the first -----------------------------------
  fault("dependency_unreachable", "Laravel without its database",
    at_shop(301, PLAIN, { crash(1,
      "SQLSTATE[HY000] [2002] php_network_getaddresses: getaddrinfo failed: Name does not resolve"),
      deploy(), wait "12m" })),
  fault("configuration_missing", ".NET without a connection string",
    at_shop(302, {}, { crash(134,
      "Unhandled exception. System.InvalidOperationException: The ConnectionString property has not "
      .. "been initialized."), deploy(), wait "12m" })),
  fault("configuration_missing", "Elixir without its database's address",
    at_shop(303, {}, { crash(1, "** (RuntimeError) environment variable DATABASE_URL is missing."), deploy(),
      wait "12m" })),
  fault("configuration_missing", "Rust and a variable that is not there",
    at_shop(304, PLAIN, { crash(101,
      "thread 'main' panicked at src/main.rs:12: called `Result::unwrap()` on an `Err` value: NotPresent"),
      deploy(), wait "12m" })),
  fault("app_crashed", "a port that needs another user",
    at_shop(305, { desired = 1 }, { crash(1, "listen tcp :80: bind: permission denied"), deploy(), wait "15m" })),
  fault("dependency_unreachable", "Kafka is not there",
    at_shop(306, PLAIN, { crash(1, "Connection to node -1 (b-1.kafka.local/10.0.0.1:9092) could not be established."),
      deploy(), wait "12m" })),
  fault("dependency_unreachable", "the database refuses the login",
    at_shop(307, PLAIN, { crash(1, 'FATAL: role "shop" does not exist'), deploy(), wait "12m" })),
  fault("slow_start", "it downloads for five minutes",
    at_shop(308, {}, { image { start = "5m", says = "Downloading shards:  33%" }, deploy(), wait "15m" })),
  fault("slow_start", "it makes tables for four minutes",
    at_shop(309, { desired = 2 }, { image { start = "4m", says = "Hibernate: create table orders (id bigint)" },
      deploy(), wait "15m" })),
  fault("app_not_listening", "it serves on another port",
    at_shop(310, {}, { image { start = "24h", says = "Serving on port 5000" }, deploy(), wait "15m" })),
  fault("app_not_listening", "it is ready on another port",
    at_shop(311, { desired = 2 }, { image { start = "24h", says = "Server ready at http://0.0.0.0:4000/graphql" },
      deploy(), wait "15m" })),
  fault("app_not_listening", "it is a worker that listens to a queue alone",
    at_shop(312, {}, { image { start = "24h", says = "worker ready, polling queue jobs" }, deploy(), wait "15m" })),
  fault("container_killed", "a child of the shell was killed",
    at_shop(313, PLAIN, { crash(137, "Killed"), deploy(), wait "12m" })),
  fault("out_of_memory", "Java and its metaspace",
    at_shop(314, {}, { crash(1, "Exception in thread main java.lang.OutOfMemoryError: Metaspace"), deploy(),
      wait "12m" })),
}
