-- How a deployment can end when the API itself is in trouble: the world goes its way, and what a client is
-- told of it is late, lost or refused. The format is that of deploy.spec.lua.

local registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"

local function deploy()
  return { runbook = "deploy/quick", args = {
    cluster = "aistudio-dev", service = "aistudio-dev", image = registry .. "aistudio-dev:v2", wait = 3600,
    preflight = false,
  } }
end

local good = { "image", { name = "aistudio-dev:v2" } }
local crashing = { "image", { name = "aistudio-dev:v2", crash = { exit = 1, after = "8s" } } }
local v1, v2 = { "aistudio-dev:v1" }, { "aistudio-dev:v2" }
local deployed = { verdict = "done", exit_code = 0, truth = { ended = "deployed", images = v2, serving = true } }
local rolled_back = {
  verdict = "rolled_back", exit_code = 23, truth = { ended = "rolled_back", images = v1, serving = true },
}

local endings = {
  {
    name = "throttling all along slows a good deployment down and no more",
    world = { "service", good, { "throttle", { service = "ecs", percent = 30 } } },
    expect = deployed,
  },
  {
    name = "throttling all along does not hide a rollback",
    world = { "service", crashing, { "throttle", { service = "ecs", percent = 30 } } },
    expect = rolled_back,
  },
  {
    name = "a burst of server errors does not end a good deployment",
    world = { "service", good, { "fail_calls", { service = "ecs", after = "20s", lasting = "60s" } } },
    expect = deployed,
  },
  {
    name = "a burst of server errors does not hide a rollback",
    world = { "service", crashing, { "fail_calls", { service = "ecs", after = "60s", lasting = "90s" } } },
    expect = rolled_back,
  },
  {
    name = "slow answers do not change how it ends",
    world = { "service", good, { "slow_calls", { service = "ecs", by = "0.2s" } } },
    expect = deployed,
  },
  {
    name = "reads that lag behind the write do not make an old steady state a success",
    world = { "service", crashing, { "lag_reads", { service = "ecs", by = "12s" } } },
    expect = rolled_back,
  },
  {
    name = "reads that lag behind the write do not hide a success",
    world = { "service", good, { "lag_reads", { service = "ecs", by = "12s" } } },
    expect = deployed,
  },
  {
    name = "a denied UpdateService changes nothing",
    world = { "service", good, { "deny_calls", { action = "ecs:UpdateService" } } },
    expect = { verdict = "denied", exit_code = 5, truth = { ended = "nothing_changed", images = v1, serving = true } },
  },
  {
    name = "a denied RegisterTaskDefinition changes nothing",
    world = { "service", good, { "deny_calls", { action = "ecs:RegisterTaskDefinition" } } },
    expect = { verdict = "denied", exit_code = 5, truth = { ended = "nothing_changed", images = v1, serving = true } },
  },
  {
    name = "reads that are denied half way leave the deployment to ECS",
    world = { "service", good, { "deny_calls", { action = "ecs:Describe*", after = "30s" } } },
    expect = {
      verdict = "denied", exit_code = 5, truth = { started = 1 }, later = { ended = "deployed", images = v2 },
    },
  },
  {
    name = "credentials that expire half way leave the deployment to ECS",
    world = { "service", good, { "expire_credentials", { after = "30s" } } },
    expect = {
      verdict = "credentials", exit_code = 4, truth = { started = 1 }, later = { ended = "deployed", images = v2 },
    },
  },
  {
    name = "an UpdateService whose answer is cut off was applied, and a good image is deployed",
    world = { "service", good, { "cut_answers", { service = "ecs", operation = "update_service", count = 1 } } },
    expect = deployed,
  },
  {
    name = "an UpdateService whose answer is cut off was applied, and a bad image is rolled back",
    world = { "service", crashing, { "cut_answers", { service = "ecs", operation = "update_service", count = 1 } } },
    expect = rolled_back,
  },
  {
    name = "an UpdateService whose connection is reset before it is applied is made once more",
    world = { "service", good, { "reset_calls", { service = "ecs", operation = "update_service", count = 1 } } },
    expect = deployed,
  },
  {
    name = "an UpdateService whose every connection is reset changes nothing",
    world = { "service", good, { "reset_calls", { service = "ecs", operation = "update_service" } } },
    expect = {
      verdict = { "unavailable", "failed" }, -- a write that may have been made is more than a missing network
      truth = { ended = "nothing_changed", images = v1, serving = true },
    },
  },
}

for index = 1, #endings do
  endings[index].run = deploy()
  endings[index].wanted = "aistudio-dev:v2"
end

return endings
