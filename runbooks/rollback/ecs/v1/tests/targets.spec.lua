-- rollback/ecs: what it goes back to. Each spec says what was deployed before, and what must run in the end by
-- the name that the image was built under: a tag that means another image by now cannot pass for it.

local names = { cluster = "aistudio-dev", service = "aistudio-dev" }

local function rollback(to)
  return { runbook = "rollback/ecs", args = { cluster = names.cluster, service = names.service, to = to } }
end

local function image(version)
  return { "image", { name = "aistudio-dev:" .. version } }
end

local function crashing(version)
  return { "image", { name = "aistudio-dev:" .. version, crash = { exit = 1, after = "8s" } } }
end

local function deployed(version, change)
  return { "deploy", { service = names.service, image = "aistudio-dev:" .. version, change = change, wait = true } }
end

local function begun(version)
  return { "deploy", { service = names.service, image = "aistudio-dev:" .. version } }
end

local function somebody(operation, input)
  input.cluster, input.service = names.cluster, names.service
  return { "someone_calls", { service = "ecs", operation = operation, input = input } }
end

local function tag(version, to)
  return { "move_tag", { image = "aistudio-dev:" .. version, to = "aistudio-dev:" .. to } }
end

local function deregistered(number)
  return { "someone_calls", {
    service = "ecs", operation = "deregister_task_definition", input = { task_definition = "aistudio-dev:" .. number },
  } }
end

local function registered(image_name, family)
  return { "someone_calls", { service = "ecs", operation = "register_task_definition", input = {
    family = family or "aistudio-dev", network_mode = "awsvpc", requires_compatibilities = { "FARGATE" }, cpu = "512",
    memory = "1024", container_definitions = { { name = "aistudio", image = image_name } },
  } } }
end

local settle = { "settle", { timeout = "60m" } }
local restart = somebody("update_service", { force_new_deployment = true })

local plain = { "ecs.update_service", "ecs.tag_resource" }
local copied = { "ecs.register_task_definition", "ecs.update_service", "ecs.tag_resource" }
local stopped = { "ecs.stop_service_deployment", "ecs.tag_resource" }

-- It is done, and this version runs.
local function back_on(version, writes, message)
  local name = "aistudio-dev:" .. version
  return {
    verdict = "done", exit_code = 0, writes = writes or plain, message = message,
    truth = { images = { name }, primary = name, moving = false, serving = true },
  }
end

-- Nothing is written, and this version goes on running.
local function refused(version, message)
  return {
    verdict = "refused_by_plan", exit_code = 30, writes = {}, message = message,
    truth = { ended = "nothing_changed", images = { "aistudio-dev:" .. version } },
  }
end

-- Every deployment that ECS remembers, kept to say which of them it is to remember.
local all_listed = { "someone_calls", {
  service = "ecs", operation = "list_service_deployments", input = names, keep = "all",
} }

local specs = {
  -- ---- what "before" is --------------------------------------------------------------------------
  {
    name = "the version that ran before is put back",
    world = { { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v2", history = { "v1" } } }, image "v3", deployed "v3" },
    expect = back_on("v2", plain, "aistudio-dev is back on aistudio-dev:2 ("),
  },
  {
    name = "revisions that CI and one-off tasks registered since are nothing to go back to",
    world = {
      "service", image "v2", registered "aistudio-dev:ci", deployed "v2", registered "aistudio-dev:ci",
      registered("migrate:1", "aistudio-migrate"),
    },
    expect = back_on "v1",
  },
  {
    name = "after a circuit breaker rolled v3 back to v2, going back goes to v1",
    world = { "service", image "v2", deployed "v2", crashing "v3", begun "v3", settle },
    expect = back_on "v1",
  },
  {
    name = "forced deployments of the same content in between do not count as versions",
    world = { "service", image "v2", restart, settle, deployed "v2", restart, settle, restart, settle },
    expect = back_on "v1",
  },
  {
    name = "a revision that was registered anew with the same content is no other version",
    world = {
      "service", image "v2", deployed "v2", deployed "v2",
    },
    expect = back_on "v1",
  },
  {
    name = "the same image with another environment is another version",
    world = { "service", deployed("v1", { environment = { { name = "MODE", value = "new" } } }) },
    expect = {
      writes = plain, message = "back on aistudio-dev:1",
      world = { {
        call = "ecs.describe_services", input = { cluster = names.cluster, services = { names.service } },
        at = "services.1.task_definition", is = "arn:aws:ecs:eu-west-1:123456789012:task-definition/aistudio-dev:1",
      } },
    },
  },
  {
    name = "the last good version is put back when the newest failed and was not rolled back",
    world = {
      { "service", {
        app = "aistudio", env = "dev", image = "aistudio-dev:v1", circuit_breaker = { enable = true, rollback = false },
      } },
      image "v2", deployed "v2", crashing "v3", begun "v3", { "advance", { time = "30m" } },
    },
    expect = back_on "v2",
  },
  {
    name = "a deployment that fails for ever without a breaker is stopped, and ECS goes back",
    world = {
      { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", circuit_breaker = false } },
      crashing "v2", begun "v2", { "advance", { time = "10m" } },
    },
    expect = back_on("v1", stopped),
  },
  {
    name = "a service that never ran anything else has nothing to go back to",
    world = "service",
    expect = refused("v1", "is the first version in the history of aistudio-dev: there is nothing to go back to."),
  },
  {
    name = "what ran before all that ECS remembers is gone back to",
    world = {
      "service", image "v2", deployed "v2", all_listed,
      { "change_answers", { service = "ecs", operation = "list_service_deployments", at = "service_deployments",
        is = { "${all.service_deployments.1}" }, lasting = "2s" } },
    },
    expect = back_on "v1",
  },
  {
    name = "a first deployment under way has nothing to go back to",
    world = {
      { "image", { name = "aistudio-dev:v1", start = "10m" } },
      { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", wait = false } },
      { "advance", { time = "30s" } },
    },
    expect = {
      verdict = "refused_by_plan", writes = {}, message = "is the first of aistudio-dev: there is nothing to go back to",
    },
  },
  {
    name = "a first deployment that failed leaves nothing to go back to, and says so",
    world = {
      crashing "v1",
      { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", wait = false } },
      { "advance", { time = "40m" } },
    },
    expect = {
      verdict = "refused_by_plan", writes = {}, message = "No deployment of aistudio-dev was ever complete",
    },
  },

  -- ---- forth and back ----------------------------------------------------------------------------
  {
    name = "going back twice goes down the history, and a third time there is nothing left",
    world = { "service", image "v2", image "v3", deployed "v2", deployed "v3" },
    runs = {
      { run = rollback(), expect = back_on "v2" },
      { run = rollback(), expect = back_on "v1" },
      { run = rollback(), expect = { verdict = "refused_by_plan", writes = {}, message = "nothing to go back to",
        truth = { images = { "aistudio-dev:v1" } } } },
    },
  },
  {
    name = "going back twice by way of a copy goes down the history as well",
    world = { "service", image "v2", image "v3", deployed "v2", deployed "v3", deregistered(2) },
    runs = {
      { run = rollback(), expect = back_on("v2", copied) },
      { run = rollback(), expect = back_on "v1" },
    },
  },
  {
    name = "a copy of what ran first is what ran first: going back from it is refused",
    world = { "service", image "v2", deployed "v2", deregistered(1) },
    runs = {
      { run = rollback(), expect = back_on("v1", copied) },
      { run = rollback(), expect = { verdict = "refused_by_plan", writes = {}, message = "nothing to go back to",
        truth = { images = { "aistudio-dev:v1" } } } },
    },
  },
  {
    name = "going back twice under one moving tag goes down its digests",
    world = {
      "service", image "v2", image "v3",
      tag("v1", "v2"), restart, settle, tag("v1", "v3"), restart, settle,
    },
    runs = {
      { run = rollback(), expect = back_on("v2", copied) },
      { run = rollback(), expect = back_on("v1", copied) },
      { run = rollback(), expect = { verdict = "refused_by_plan", writes = {},
        truth = { images = { "aistudio-dev:v1" } } } },
    },
  },
  {
    name = "what was gone back from and later deployed well again is a version like any other",
    world = { "service", image "v2", image "v3", deployed "v2" },
    runs = {
      { run = rollback(), expect = back_on "v1" },
      {
        world = { somebody("update_service", { task_definition = "aistudio-dev:2" }), settle, deployed "v3" },
        run = rollback(), expect = back_on "v2",
      },
    },
  },
  {
    name = "what was gone back from is passed over when it stands in the history all the same",
    world = { "service", image "v2", image "v3", deployed "v2", image "v4" },
    runs = {
      -- v3 was never complete here: the history keeps v2 below it.
      { world = { registered "aistudio-dev:v3" }, run = rollback(), expect = back_on "v1" },
      {
        world = { somebody("update_service", { task_definition = "aistudio-dev:2" }), settle, deployed "v3" },
        run = rollback "aistudio-dev:1", expect = back_on "v1",
      },
    },
  },

  -- ---- digests -----------------------------------------------------------------------------------
  {
    name = "a tag that was moved since does not keep the digest that ran from coming back",
    world = { "service", image "v2", image "v9", deployed "v2", tag("v1", "v9") },
    expect = back_on("v1", copied),
  },
  {
    name = "an image that a lifecycle policy deleted is passed over, and that is said",
    world = {
      "service", image "v2", image "v3", deployed "v2", deployed "v3",
      { "delete_image", { image = "aistudio-dev:v2" } },
    },
    expect = back_on "v1",
  },
  {
    name = "nothing is written when every image that ran before is gone",
    world = {
      "service", image "v2", image "v3", deployed "v2", deployed "v3",
      { "delete_image", { image = "aistudio-dev:v2" } }, { "delete_image", { image = "aistudio-dev:v1" } },
    },
    expect = refused("v3", "Nothing that ran before in aistudio-dev can run again"),
  },
  {
    name = "without the right to ask the registry the recorded digest is named outright",
    world = {
      "service", image "v2", deployed "v2", { "deny_calls", { action = "ecr:DescribeImages" } },
    },
    expect = back_on("v1", copied),
  },

  -- ---- --to --------------------------------------------------------------------------------------
  {
    name = "--to 2 goes two versions back",
    world = { "service", image "v2", image "v3", deployed "v2", deployed "v3" },
    run = rollback "2",
    expect = back_on "v1",
  },
  {
    name = "--to 1 after a failed deployment that was not rolled back is the last good version",
    world = {
      { "service", {
        app = "aistudio", env = "dev", image = "aistudio-dev:v1", circuit_breaker = { enable = true, rollback = false },
      } },
      image "v2", deployed "v2", crashing "v3", begun "v3", { "advance", { time = "30m" } },
    },
    run = rollback "1",
    expect = back_on "v2",
  },
  {
    name = "--to 0 is refused",
    world = { "service", image "v2", deployed "v2" },
    run = rollback "0",
    expect = refused("v2", "--to 0 is no step back"),
  },
  {
    name = "more steps back than there are versions are refused",
    world = { "service", image "v2", deployed "v2" },
    run = rollback "9",
    expect = refused("v2", "only 1 version"),
  },
  {
    name = "a tag of digits only is found as a tag when there are not so many steps",
    world = { "service", image "42", image "v3", deployed "42", deployed "v3" },
    run = rollback "42",
    expect = back_on "42",
  },
  {
    name = "--to FAMILY:REVISION",
    world = { "service", image "v2", image "v3", deployed "v2", deployed "v3" },
    run = rollback "aistudio-dev:1",
    expect = back_on "v1",
  },
  {
    name = "--to the ARN of a task definition",
    world = { "service", image "v2", image "v3", deployed "v2", deployed "v3" },
    run = rollback "arn:aws:ecs:eu-west-1:123456789012:task-definition/aistudio-dev:1",
    expect = back_on "v1",
  },
  {
    name = "--to TAG",
    world = { "service", image "v2", image "v3", deployed "v2", deployed "v3" },
    run = rollback "v1",
    expect = back_on "v1",
  },
  {
    name = "--to REPOSITORY:TAG",
    world = { "service", image "v2", image "v3", deployed "v2", deployed "v3" },
    run = rollback "aistudio-dev:v1",
    expect = back_on "v1",
  },
  {
    name = "--to a whole reference",
    world = { "service", image "v2", image "v3", deployed "v2", deployed "v3" },
    run = rollback "123456789012.dkr.ecr.eu-west-1.amazonaws.com/aistudio-dev:v1",
    expect = back_on "v1",
  },
  {
    name = "--to a tag that ran and another time failed means what ran",
    world = {
      "service", image "v2", crashing "v3", deployed "v2",
      tag("v1", "v3"), somebody("update_service", { task_definition = "aistudio-dev:1" }), settle,
    },
    run = rollback "v1",
    expect = back_on("v1", copied),
  },
  {
    name = "--to what is deployed already does nothing",
    world = { "service", image "v2", deployed "v2" },
    run = rollback "v2",
    expect = { verdict = "nothing_to_do", exit_code = 0, writes = {}, message = "runs aistudio-dev:2" },
  },
  {
    name = "--to what never ran here goes there all the same when it is named in full",
    world = {
      "service", image "v2", image "v3", deployed "v2", begun "v3", { "advance", { time = "5s" } },
      somebody("update_service", { task_definition = "aistudio-dev:1" }), settle,
    },
    run = rollback "aistudio-dev:3",
    expect = back_on "v3",
  },
  {
    name = "--to nonsense is refused",
    world = { "service", image "v2", deployed "v2" },
    run = rollback "yesterday",
    expect = refused("v2", "Nothing in the history of aistudio-dev is called yesterday"),
  },
  {
    name = "--to sha256: without a digest is refused",
    world = { "service", image "v2", deployed "v2" },
    run = rollback "sha256:",
    expect = refused("v2", "Nothing in the history of aistudio-dev is called sha256:"),
  },
  {
    name = "--to a task definition that does not exist is refused",
    world = { "service", image "v2", deployed "v2" },
    run = rollback "aistudio-dev:99",
    expect = refused("v2", "There is no task definition aistudio-dev:99"),
  },
  {
    name = "--to an image that is gone is refused by name",
    world = { "service", image "v2", image "v3", deployed "v2", deployed "v3", { "delete_image", { image = "aistudio-dev:v1" } } },
    run = rollback "v1",
    expect = refused("v3", "is gone from the registry"),
  },
}

for index = 1, #specs do
  if not specs[index].runs then
    specs[index].run = specs[index].run or rollback()
  end
end

return specs
