-- rollback/ecs: how it goes back, and what may come between: a deployment under way, other people, AWS in trouble,
-- rights that are missing.

local names = { cluster = "aistudio-dev", service = "aistudio-dev" }
local run = { runbook = "rollback/ecs", args = names }

local function with(option, value)
  return { runbook = "rollback/ecs", args = { cluster = names.cluster, service = names.service, [option] = value } }
end

local function image(version)
  return { "image", { name = "aistudio-dev:" .. version } }
end

local function crashing(version)
  return { "image", { name = "aistudio-dev:" .. version, crash = { exit = 1, after = "8s" } } }
end

local function slow(version)
  return { "image", { name = "aistudio-dev:" .. version, start = "5m" } }
end

local function deployed(version)
  return { "deploy", { service = names.service, image = "aistudio-dev:" .. version, wait = true } }
end

local function begun(version)
  return { "deploy", { service = names.service, image = "aistudio-dev:" .. version } }
end

local function at(time, command, args)
  return { "at", { time = time, command = command, args = args } }
end

local function somebody(operation, input)
  input.cluster, input.service = names.cluster, names.service
  return { "someone_calls", { service = "ecs", operation = operation, input = input } }
end

-- Somebody takes the public addresses from the tasks.
local looked_at = { "someone_calls", { service = "ecs", operation = "describe_services", keep = "seen",
  input = { cluster = names.cluster, services = { names.service } } } }
local network = "${seen.services.1.network_configuration.awsvpc_configuration."
local private = somebody("update_service", { network_configuration = { awsvpc_configuration = {
  subnets = { network .. "subnets.1}" }, security_groups = { network .. "security_groups.1}" },
  assign_public_ip = "DISABLED",
} } })

local settle = { "settle", { timeout = "60m" } }
local plain = { "ecs.update_service", "ecs.tag_resource" }

local function back_on(version, writes, message)
  local name = "aistudio-dev:" .. version
  return {
    verdict = "done", exit_code = 0, writes = writes or plain, message = message,
    truth = { images = { name }, primary = name, moving = false, serving = true },
  }
end

local function nothing_written(verdict, exit_code, message, version)
  return {
    verdict = verdict, exit_code = exit_code, writes = {}, message = message,
    truth = { ended = "nothing_changed", images = version and { "aistudio-dev:" .. version } or nil },
  }
end

-- The service after v1 and v2.
local two = { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v2", history = { "v1" } } }

local specs = {
  -- ---- a deployment under way --------------------------------------------------------------------
  {
    name = "a deployment under way is stopped, and ECS goes back to what it chooses",
    world = { "service", slow "v2", begun "v2", { "advance", { time = "60s" } } },
    expect = back_on("v1", { "ecs.stop_service_deployment", "ecs.tag_resource" }, "is back on aistudio-dev:1"),
  },
  {
    name = "while ECS is rolling back already nothing at all is written",
    world = {
      "service", slow "v2", begun "v2", { "advance", { time = "60s" } },
      { "stop_deployment", { service = names.service } }, { "advance", { time = "4s" } },
    },
    expect = back_on("v1", {}),
  },
  {
    name = "a deployment that is complete before it can be stopped is gone back from all the same",
    each = { 80, 90, 100, 110, 120, 130, 140, 150 },
    world = {
      two, image "v3", begun "v3", { "advance", { time = "$each" } },
      { "slow_calls", { service = "ecs", operation = "stop_service_deployment", by = "8s" } },
    },
    expect = { verdict = "done", truth = { images = { "aistudio-dev:v2" }, primary = "aistudio-dev:v2", moving = false } },
  },
  {
    name = "--to while a deployment is under way takes its place",
    world = { two, slow "v3", begun "v3", { "advance", { time = "60s" } } },
    run = with("to", "v1"),
    expect = back_on "v1",
  },
  {
    name = "--to what is being deployed is refused, and says how to follow it",
    world = { two, slow "v3", begun "v3", { "advance", { time = "60s" } } },
    run = with("to", "v3"),
    expect = nothing_written("refused_by_plan", 30, "aistudio-dev is being moved to aistudio-dev:3"),
  },

  -- ---- other people ------------------------------------------------------------------------------
  {
    name = "nothing is written over what somebody deployed since it was planned",
    world = {
      two, image "v3",
      { "slow_calls", { service = "ecs", operation = "describe_task_definition", by = "8s" } },
      at("4s", "deploy", { service = names.service, image = "aistudio-dev:v3" }),
    },
    expect = { verdict = "superseded", exit_code = 24, writes = {}, message = "Nothing was written" },
  },
  {
    name = "a rollback that somebody's deployment overtakes is superseded",
    world = { two, image "v3", at("40s", "deploy", { service = names.service, image = "aistudio-dev:v3" }) },
    expect = { verdict = "superseded", exit_code = 24, writes = { "ecs.update_service" } },
  },
  {
    name = "what goes back and does not come up is rolled back by ECS, which is no success",
    world = { "service", image "v2", deployed "v2", crashing "v1" },
    expect = {
      verdict = "rolled_back", exit_code = 23, writes = { "ecs.update_service" },
      truth = { ended = "rolled_back", images = { "aistudio-dev:v2" }, serving = true },
    },
  },

  -- ---- the configuration -------------------------------------------------------------------------
  {
    name = "--scope task leaves the network as somebody has set it since",
    world = {
      "service", image "v2", deployed "v2",
      looked_at, private, settle,
    },
    expect = { verdict = "done", writes = plain, truth = { images = { "aistudio-dev:v1" } }, world = { {
      call = "ecs.describe_services", input = { cluster = names.cluster, services = { names.service } },
      at = "services.1.network_configuration.awsvpc_configuration.assign_public_ip", is = "DISABLED",
    } } },
  },
  {
    name = "--scope service takes back a change of the network by itself",
    world = {
      "service",
      looked_at, private, settle,
    },
    run = with("scope", "service"),
    expect = { verdict = "done", writes = plain, truth = { images = { "aistudio-dev:v1" }, serving = true }, world = { {
      call = "ecs.describe_services", input = { cluster = names.cluster, services = { names.service } },
      at = "services.1.network_configuration.awsvpc_configuration.assign_public_ip", is = "ENABLED",
    } } },
  },
  {
    name = "a service that is scaled to zero is set back, and nothing is said to be proved",
    world = { two, somebody("update_service", { desired_count = 0 }), { "advance", { time = "5m" } } },
    expect = {
      verdict = "done", writes = plain, message = "scaled to zero: nothing runs",
      truth = { running = 0, primary = "aistudio-dev:v1" },
    },
  },

  -- ---- what cannot run ---------------------------------------------------------------------------
  {
    name = "what needs a secret that is gone is refused by the secret's name",
    world = {
      { "service", {
        app = "aistudio", env = "dev", image = "aistudio-dev:v2", history = { "v1" },
        secrets = { DATABASE_URL = "aistudio/dev/database" },
      } },
      { "someone_calls", { service = "secretsmanager", operation = "delete_secret",
        input = { secret_id = "aistudio/dev/database", force_delete_without_recovery = true } } },
    },
    expect = nothing_written("refused_by_plan", 30, "aistudio/dev/database", "v2"),
  },
  {
    name = "what needs a log group that is gone is refused by the log group's name",
    world = { two, { "no_log_group", { name = "/ecs/aistudio-dev" } },
      { "someone_calls", { service = "logs", operation = "delete_log_group", input = { log_group_name = "/ecs/aistudio-dev" } } } },
    expect = nothing_written("refused_by_plan", 30, "/ecs/aistudio-dev", "v2"),
  },
  {
    name = "--preflight false goes back without looking at secrets and log groups",
    world = { two, { "deny_calls", { action = "logs:DescribeLogGroups" } } },
    run = with("preflight", false),
    expect = back_on "v1",
  },

  -- ---- without a history -------------------------------------------------------------------------
  {
    name = "a history that may not be read is refused, and said to be denied",
    world = { two, { "deny_calls", { action = "ecs:ListServiceDeployments" } } },
    expect = nothing_written("refused_by_plan", 30, "could not be read", "v2"),
  },
  {
    name = "--allow-guess goes to the revision before in the family",
    world = { two, { "deny_calls", { action = "ecs:ListServiceDeployments" } } },
    run = with("allow_guess", true),
    expect = back_on("v1", { "ecs.update_service" }),
  },
  {
    name = "--allow-guess with no revision before is refused",
    world = { "service", { "deny_calls", { action = "ecs:ListServiceDeployments" } } },
    run = with("allow_guess", true),
    expect = nothing_written("refused_by_plan", 30, "could not be read", "v1"),
  },
  {
    name = "a service that CodeDeploy deploys is refused",
    world = { { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", controller = "CODE_DEPLOY" } } },
    expect = nothing_written("refused_by_plan", 30, "CODE_DEPLOY"),
  },
  {
    name = "a service that an external controller deploys is refused",
    world = { { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", controller = "EXTERNAL" } } },
    expect = nothing_written("refused_by_plan", 30, "EXTERNAL"),
  },
  {
    name = "a service that does not exist is refused",
    world = "service",
    run = { runbook = "rollback/ecs", args = { cluster = "aistudio-dev", service = "gone" } },
    expect = nothing_written("refused_by_plan", 30, "There is no service gone in cluster aistudio-dev.", "v1"),
  },

  -- ---- AWS in trouble ----------------------------------------------------------------------------
  {
    name = "reads that lag behind do not end it early",
    world = { two, { "lag_reads", { service = "ecs", by = "12s" } } },
    expect = back_on "v1",
  },
  {
    name = "an UpdateService whose answer is lost was applied, and is followed",
    world = { two, { "cut_answers", { service = "ecs", operation = "update_service", count = 1 } } },
    expect = back_on "v1",
  },
  {
    name = "an UpdateService that never gets through changes nothing",
    world = { two, { "reset_calls", { service = "ecs", operation = "update_service" } } },
    expect = {
      verdict = { "unavailable", "failed" }, writes = {},
      truth = { ended = "nothing_changed", images = { "aistudio-dev:v2" }, serving = true },
    },
  },
  {
    name = "a denied UpdateService changes nothing",
    world = { two, { "deny_calls", { action = "ecs:UpdateService" } } },
    expect = nothing_written("denied", 5, "ecs:UpdateService", "v2"),
  },
  {
    name = "a denied StopServiceDeployment leaves the deployment to ECS",
    world = {
      "service", slow "v2", begun "v2", { "advance", { time = "60s" } },
      { "deny_calls", { action = "ecs:StopServiceDeployment" } },
    },
    expect = { verdict = "denied", exit_code = 5, writes = {}, truth = { ended = "nothing_changed" } },
  },
  {
    name = "without the right to tag it is gone back all the same",
    world = { two, { "deny_calls", { action = "ecs:TagResource" } } },
    expect = back_on("v1", { "ecs.update_service" }),
  },
  {
    name = "an operator who says no changes nothing",
    world = { two },
    run = { runbook = "rollback/ecs", args = names, answer = false },
    expect = { verdict = "refused_by_operator", exit_code = 32, writes = {}, truth = { ended = "nothing_changed" } },
  },
  {
    name = "a plan alone writes nothing",
    world = { two },
    run = { runbook = "rollback/ecs", args = names, plan_only = true },
    expect = { verdict = { "planned", "done" }, writes = {}, truth = { ended = "nothing_changed" } },
  },
  {
    name = "a health page that does not answer is a failed check",
    world = { two },
    run = with("health_url", "http://nowhere.eu-west-1.elb.amazonaws.com/api/healthz"),
    expect = {
      verdict = "check_failed", exit_code = 10, checks = { ["the application answers"] = "fail" },
      truth = { images = { "aistudio-dev:v1" } },
    },
  },
}

for index = 1, #specs do
  specs[index].run = specs[index].run or run
end

return specs
