-- deploy/quick on simulated worlds. tests/endings has the many ways a deployment can end; here is what is this runbook's
-- own: what it takes for an image, what it refuses, what it proves, how many calls it makes, and how it is undone.

local registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"
local names = { cluster = "aistudio-dev", service = "aistudio-dev" }

local function deploy(image, option, value)
  local args = { cluster = names.cluster, service = names.service, image = image or "v2" }
  if option then
    args[option] = value
  end
  return { runbook = "deploy/quick", args = args }
end

local function undo(option, value)
  local run = deploy("v2", option, value)
  run.undo = true
  return run
end

local function image(version)
  return { "image", { name = "aistudio-dev:" .. version } }
end

local function crashing(version)
  return { "image", { name = "aistudio-dev:" .. version, crash = { exit = 1, after = "8s" } } }
end

local function somebody(operation, input)
  input.cluster, input.service = names.cluster, names.service
  return { "someone_calls", { service = "ecs", operation = operation, input = input } }
end

local function at(time, command, args)
  return { "at", { time = time, command = command, args = args } }
end

local function plain_service(breaker)
  return { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", circuit_breaker = breaker } }
end

local settle = { "settle", { timeout = "60m" } }
local written = { "ecs.register_task_definition", "ecs.update_service" }

local gone_back = { "ecs.register_task_definition", "ecs.update_service", "ecs.update_service", "ecs.tag_resource" }

local function runs(version, writes, message)
  local name = "aistudio-dev:" .. version
  return {
    verdict = "done", exit_code = 0, writes = writes or written, message = message,
    truth = { ended = "deployed", images = { name }, primary = name, moving = false, serving = true },
  }
end

local function refused(message, version)
  return {
    verdict = "refused_by_plan", exit_code = 30, writes = {}, message = message,
    truth = { ended = "nothing_changed", images = { "aistudio-dev:" .. (version or "v1") } },
  }
end

local specs = {
  -- ---- images ------------------------------------------------------------------------------------
  { name = "a tag is of the present repository", world = { "service", image "v2" }, run = deploy "v2",
    expect = runs("v2", written, "aistudio-dev runs aistudio-dev:v2 (aistudio-dev:2): 1 of 1 tasks") },
  { name = "REPOSITORY:TAG is of the present registry", world = { "service", image "v2" }, run = deploy "aistudio-dev:v2",
    expect = runs "v2" },
  { name = "a whole reference is taken as it is", world = { "service", image "v2" },
    run = deploy(registry .. "aistudio-dev:v2"), expect = runs "v2" },
  { name = "an image that is not there is refused before anything is written", world = "service", run = deploy "v7",
    expect = refused "ECR does not have the image aistudio-dev:v7" },
  { name = "a repository that is not there is refused before anything is written", world = "service",
    run = deploy "nothing:v1", expect = refused "ECR does not have the image nothing:v1" },
  { name = "what runs already is not deployed again", world = "service", run = deploy "v1",
    expect = { verdict = "nothing_to_do", exit_code = 0, writes = {}, message = "runs aistudio-dev:v1 already",
      truth = { ended = "nothing_changed" } } },
  { name = "the same tag is deployed by force when it means another image now",
    world = { "service", image "v2", { "move_tag", { image = "aistudio-dev:v1", to = "aistudio-dev:v2" } } },
    run = deploy "v1", expect = runs("v2", { "ecs.update_service" }) },
  { name = "a tag that is moved between the plan and the deployment fails the proof by digest",
    world = { "service", image "v2", image "v3",
      { "slow_calls", { service = "ecs", operation = "register_task_definition", by = "8s" } },
      at("2s", "move_tag", { image = "aistudio-dev:v2", to = "aistudio-dev:v3" }) },
    run = deploy("v2", "preflight", false),
    expect = { verdict = "check_failed", exit_code = 10, writes = written,
      checks = { ["every task runs the image"] = "fail" }, truth = { images = { "aistudio-dev:v3" } } } },

  { name = "without the right to ask the registry it deploys, and says what is not proved",
    world = { "service", image "v2", { "deny_calls", { action = "ecr:DescribeImages" } } },
    expect = { verdict = "done", writes = written, message = "the digest of the image is not known",
      truth = { images = { "aistudio-dev:v2" } } } },
  { name = "an image of a registry that cannot be asked is deployed, and its digest is not said to be proved",
    world = { "service", { "image", { name = "docker.io/library/web:2" } } },
    run = deploy("docker.io/library/web:2", "preflight", false),
    expect = { verdict = "done", writes = written, message = "the digest of the image is not known" } },

  -- ---- containers --------------------------------------------------------------------------------
  { name = "the container that the load balancer sends to gets the image",
    world = { "service", image "v2", { "image", { name = "aistudio-dev:side" } },
      { "deploy", { service = names.service, image = "aistudio-dev:v1", wait = true, sidecars = {
        { name = "side", image = registry .. "aistudio-dev:side", essential = false } } } } },
    expect = runs "v2" },
  { name = "--container names another one",
    world = { "service", image "v2", { "image", { name = "aistudio-dev:side" } }, { "image", { name = "aistudio-dev:side2" } },
      { "deploy", { service = names.service, image = "aistudio-dev:v1", wait = true, sidecars = {
        { name = "side", image = registry .. "aistudio-dev:side", essential = false } } } } },
    run = { runbook = "deploy/quick", args = {
      cluster = names.cluster, service = names.service, image = "side2", container = "side" } },
    expect = { verdict = "done", writes = written, truth = { images = { "aistudio-dev:v1" } }, world = { {
      call = "ecs.describe_task_definition", input = { task_definition = "aistudio-dev" },
      at = "task_definition.container_definitions.2.image", is = registry .. "aistudio-dev:side2" } } } },
  { name = "a container that is not there is refused, with those there are", world = { "service", image "v2" },
    run = deploy("v2", "container", "web"),
    expect = refused "The task definition has no container web; it has aistudio." },

  -- ---- refusals ----------------------------------------------------------------------------------
  { name = "a secret that is gone is refused before anything is written",
    world = { "service", image "v2", { "secret", { name = "aistudio/dev/database", missing = true } } },
    expect = refused "aistudio/dev/database" },
  { name = "a deployment under way is not overrun",
    world = { "service", image "v2", { "image", { name = "aistudio-dev:v3", start = "5m" } },
      { "deploy", { service = names.service, image = "aistudio-dev:v3" } }, { "advance", { time = "30s" } } },
    expect = refused "is under way. Wait for it, or take its place with --supersede." },
  { name = "--supersede takes the place of a deployment under way",
    world = { "service", image "v2", { "image", { name = "aistudio-dev:v3", start = "5m" } },
      { "deploy", { service = names.service, image = "aistudio-dev:v3" } }, { "advance", { time = "30s" } } },
    run = deploy("v2", "supersede", true), expect = runs "v2" },
  { name = "a service that CodeDeploy deploys is refused",
    world = { { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", controller = "CODE_DEPLOY" } } },
    expect = refused "CODE_DEPLOY" },
  { name = "a service that does not exist is refused", world = "service",
    run = { runbook = "deploy/quick", args = { cluster = names.cluster, service = "gone", image = "v2" } },
    expect = refused "There is no service gone in cluster aistudio-dev." },

  -- ---- ends --------------------------------------------------------------------------------------
  { name = "an image that crashes is rolled back by ECS, and said why", world = { "service", crashing "v2" },
    expect = { verdict = "rolled_back", exit_code = 23, writes = written, message = "ends with exit code 1",
      truth = { ended = "rolled_back", images = { "aistudio-dev:v1" }, serving = true } } },
  { name = "with abort_early we have ECS stop what cannot come right, and say that it was us",
    world = { "service", image "v2", at("1s", "delete_image", { image = "aistudio-dev:v2" }) },
    run = deploy("v2", "abort_early", true),
    expect = { verdict = "failed_undone", writes = { "ecs.register_task_definition", "ecs.update_service",
      "ecs.stop_service_deployment" }, message = "We had ECS stop it and go back",
      truth = { ended = "undone", images = { "aistudio-dev:v1" }, serving = true } } },
  { name = "without a breaker what cannot come right ends early as failed, and is said to go on",
    world = { plain_service(false), image "v2", at("1s", "delete_image", { image = "aistudio-dev:v2" }) },
    expect = { verdict = "failed", exit_code = 22, writes = written, message = "ECS is still trying", within = "10m",
      truth = { ended = "still_running", images = { "aistudio-dev:v1" }, serving = true } } },
  { name = "a health page that does not answer is a failed check", world = { "service", image "v2" },
    run = deploy("v2", "health_url", "http://nowhere.eu-west-1.elb.amazonaws.com/api/healthz"),
    expect = { verdict = "check_failed", exit_code = 10, writes = written,
      checks = { ["the application answers"] = "fail", ["every task runs the image"] = "pass" },
      truth = { ended = "deployed", images = { "aistudio-dev:v2" } } } },
  { name = "a service that is scaled to zero is set to the image, and nothing is said to be proved",
    world = { "service", image "v2", somebody("update_service", { desired_count = 0 }), { "advance", { time = "5m" } } },
    expect = { verdict = "done", writes = written, message = "nothing runs, and so nothing is proved",
      truth = { running = 0, primary = "aistudio-dev:v2" } } },

  -- ---- AWS in trouble ----------------------------------------------------------------------------
  { name = "a RegisterTaskDefinition whose answer is lost is made once more, which leaves one revision unused",
    world = { "service", image "v2",
      { "cut_answers", { service = "ecs", operation = "register_task_definition", count = 1 } } },
    expect = { verdict = "done", calls = { ["ecs.register_task_definition"] = 2, ["ecs.update_service"] = 1 },
      truth = { ended = "deployed", started = 1, images = { "aistudio-dev:v2" } } } },
  { name = "an UpdateService whose answer is lost was applied, and is not made again",
    world = { "service", image "v2", { "cut_answers", { service = "ecs", operation = "update_service", count = 1 } } },
    expect = { verdict = "done", truth = { ended = "deployed", started = 1, images = { "aistudio-dev:v2" } } } },
  { name = "reads that lag behind do not end it early",
    world = { "service", image "v2", { "lag_reads", { service = "ecs", by = "12s" } } }, expect = runs "v2" },

  -- ---- calls -------------------------------------------------------------------------------------
  { name = "a normal deployment takes no more than 50 calls with preflight", world = { "service", image "v2" },
    expect = { verdict = "done", at_most = 50 } },
  { name = "a normal deployment takes no more than 32 calls without preflight", world = { "service", image "v2" },
    run = deploy("v2", "preflight", false), expect = { verdict = "done", at_most = 32 } },

  -- ---- undo --------------------------------------------------------------------------------------
  { name = "a deployment that fails its checks is undone: what ran before runs again",
    world = { { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", history = { "v0" } } }, image "v2" },
    run = undo("health_url", "http://nowhere.eu-west-1.elb.amazonaws.com/api/healthz"),
    expect = { verdict = "failed_undone", exit_code = 20, writes = gone_back,
      truth = { images = { "aistudio-dev:v1" }, primary = "aistudio-dev:v1", moving = false, serving = true } } },
  { name = "a deployment that failed and was not rolled back is undone",
    world = { { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", history = { "v0" },
      circuit_breaker = { enable = true, rollback = false } } }, crashing "v2" },
    run = undo(),
    expect = { verdict = "failed_undone", writes = gone_back,
      truth = { images = { "aistudio-dev:v1" }, primary = "aistudio-dev:v1", moving = false } } },
  { name = "an undo while the deployment is under way has ECS stop it",
    world = { { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", grace = 1200 } },
      { "image", { name = "aistudio-dev:v2", start = "10m" } } },
    run = undo("wait", 60),
    expect = { verdict = "failed_undone", writes = {
      "ecs.register_task_definition", "ecs.update_service", "ecs.stop_service_deployment", "ecs.tag_resource" },
      truth = { ended = "undone", images = { "aistudio-dev:v1" }, moving = false, serving = true } } },
  { name = "a same tag that fails its checks is undone to the digest that ran",
    world = { "service", image "v2", { "move_tag", { image = "aistudio-dev:v1", to = "aistudio-dev:v2" } } },
    run = { runbook = "deploy/quick", undo = true, args = { cluster = names.cluster, service = names.service, image = "v1",
      health_url = "http://nowhere.eu-west-1.elb.amazonaws.com/api/healthz" } },
    expect = { verdict = "failed_undone",
      writes = { "ecs.update_service", "ecs.register_task_definition", "ecs.update_service", "ecs.tag_resource" },
      truth = { images = { "aistudio-dev:v1" }, primary = "aistudio-dev:v1", moving = false } } },
  { name = "whenever somebody deploys, an undo leaves theirs as it is",
    each = { 60, 100, 140, 150, 152, 154, 156, 158, 160, 162, 164, 166, 168, 170, 180, 200, 240, 280 },
    world = { "service", image "v2", image "v3",
      { "slow_calls", { service = "elbv2", operation = "describe_target_health", by = "8s" } },
      at("$each", "deploy", { service = names.service, image = "aistudio-dev:v3" }) },
    run = undo("health_url", "http://nowhere.eu-west-1.elb.amazonaws.com/api/healthz"),
    expect = { verdict = { "superseded", "undo_incomplete" },
      later = { images = { "aistudio-dev:v3" }, primary = "aistudio-dev:v3" } } },
  { name = "an undo leaves what ECS has rolled back by itself as it is",
    world = { { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", history = { "v0" } } }, crashing "v2" },
    run = undo(),
    expect = { verdict = "rolled_back", exit_code = 23, writes = written, truth = { images = { "aistudio-dev:v1" } } } },
}

for index = 1, #specs do
  if not specs[index].runs then
    specs[index].run = specs[index].run or deploy()
  end
end

return specs
