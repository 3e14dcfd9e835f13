--- Stopping service deployments in whatever state they are, and services that another controller deploys.

local ecs = dofile "tests/sim/ecs_stages.lua"
local control = require "sim.control"
local t = ecs.t

-- ---- stopping rolling deployments ----------------------------------------------------------------

t.test("a deployment that is PENDING or IN_PROGRESS goes back, though no rollback is configured", function()
  for _, wanted in ipairs { "PENDING", "IN_PROGRESS" } do
    local world = ecs.start { desired = 2 }
    local before = ecs.service(world).task_definition
    ecs.deploy(world, "app:v2")
    ecs.wait_status(world, wanted, 30)
    t.equal(ecs.stop(world).output.service_deployment_arn, ecs.record(world).service_deployment_arn)
    t.equal(ecs.record(world).status, "ROLLBACK_REQUESTED")
    ecs.wait_status(world, "ROLLBACK_IN_PROGRESS", 10)
    local record = ecs.wait_status(world, "ROLLBACK_SUCCESSFUL")
    t.equal({ record.status_reason, ecs.service(world).task_definition, ecs.service(world).running_count },
      { "Service deployment rolled back because of a user request.", before, 2 })
    t.equal(record.rollback.service_revision_arn, record.source_service_revisions[1].arn)
  end
end)

t.test("a rollback that was asked for or is under way goes on when it is stopped again", function()
  for _, wanted in ipairs { "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS" } do
    local world = ecs.start {}
    ecs.deploy(world, "app:v2")
    t.advance(world, 30)
    ecs.stop(world)
    ecs.wait_status(world, wanted, 10)
    t.equal(ecs.stop(world).error, nil, wanted)
    t.equal(ecs.record(world).status, wanted)
    ecs.wait_status(world, "ROLLBACK_SUCCESSFUL")
  end
end)

t.test("a deployment that is over cannot be stopped, and the refusal says how it ended", function()
  local function refused(world, arn, status)
    t.equal(ecs.call(world, "describe_service_deployments", { service_deployment_arns = { arn } })
      .service_deployments[1].status, status)
    t.contains(t.raises("ConflictException", function() return ecs.stop(world, arn) end).message, status)
  end
  local world = ecs.start { breaker = { enable = true, rollback = true } }
  refused(world, ecs.record(world).service_deployment_arn, "SUCCESSFUL")
  ecs.deploy(world, "app:v2")
  t.advance(world, 20)
  ecs.deploy(world, "app:v3")
  refused(world, ecs.record(world, 2).service_deployment_arn, "STOPPED")
  t.advance(world, 20)
  ecs.stop(world)
  ecs.wait_status(world, "ROLLBACK_SUCCESSFUL")
  refused(world, ecs.record(world).service_deployment_arn, "ROLLBACK_SUCCESSFUL")
end)

t.test("the first deployment of a service has nothing to go back to when it is stopped", function()
  local world = ecs.start { unsettled = true, image = ecs.image "app:v9" }
  t.advance(world, 60)
  ecs.stop(world)
  local record = ecs.wait_status(world, "ROLLBACK_FAILED", 30)
  t.equal({ record.status_reason, record.rollback, #record.source_service_revisions },
    { "No rollback candidate was found to run the rollback.", nil, 0 })
  t.equal(ecs.service(world).deployments[1].rollout_state, "FAILED")
  t.contains(t.raises("ConflictException", function() return ecs.stop(world) end).message, "ROLLBACK_FAILED")
  t.advance(world, 900)
  t.equal(ecs.service(world).pending_count, 0, "nothing more is started")
end)

t.test("a stop of type ABORT is not supported, an unknown one is no choice", function()
  local world = ecs.start {}
  ecs.deploy(world, "app:v2")
  local arn = ecs.record(world).service_deployment_arn
  t.raises("UnsupportedFeatureException", function()
    return world:call("ecs", "stop_service_deployment", { service_deployment_arn = arn, stop_type = "ABORT" })
  end)
  t.raises("InvalidParameterException", function()
    return world:call("ecs", "stop_service_deployment", { service_deployment_arn = arn, stop_type = "HALT" })
  end)
  t.equal(t.raises("ServiceDeploymentNotFoundException", function() return ecs.stop(world, arn .. "x") end).message,
    "The service deployment does not exist.")
  t.equal(ecs.record(world).status, "PENDING")
end)

-- ---- other controllers ---------------------------------------------------------------------------

local function adopted(controller)
  local world = t.world()
  control.service(world, { app = "shop", env = "prod", desired = 2, controller = controller })
  return world
end

local function shop(world)
  return t.call(world, "ecs", "describe_services", { cluster = "shop-prod", services = { "shop-prod" } }).services[1]
end

local function update(world, input)
  input.cluster, input.service = "shop-prod", "shop-prod"
  return world:call("ecs", "update_service", input, t.caller)
end

t.test("a service of CodeDeploy has a task set and no deployments", function()
  local world = adopted "CODE_DEPLOY"
  local service = shop(world)
  t.equal({ service.deployment_controller.type, service.deployments, service.running_count }, { "CODE_DEPLOY", {}, 2 })
  t.equal(service.current_service_deployment, nil)
  local set = service.task_sets[1]
  t.equal({ #service.task_sets, set.status, set.stability_status, set.running_count, set.started_by },
    { 1, "PRIMARY", "STEADY_STATE", 2, "CODE_DEPLOY" })
  t.truthy(set.external_id:match("^d%-[A-Z0-9]+$"), "the id of CodeDeploy's deployment")
  t.equal(set.task_definition, service.task_definition)
  t.equal(t.call(world, "ecs", "list_service_deployments", { cluster = "shop-prod", service = "shop-prod" })
    .service_deployments, {})
  local found = t.call(world, "ecs", "describe_task_sets",
    { cluster = "shop-prod", service = "shop-prod", task_sets = { set.id, "none" } })
  t.equal({ found.task_sets[1].task_set_arn, found.failures[1].reason }, { set.task_set_arn, "MISSING" })
end)

t.test("a service of CodeDeploy refuses what only CodeDeploy may change, in the words of ECS", function()
  local world = adopted "CODE_DEPLOY"
  local tail = " on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment."
  local function refused(input, text)
    t.equal(t.raises("InvalidParameterException", function() return update(world, input) end).message, text .. tail)
  end
  refused({ task_definition = "shop-prod:1" }, "Unable to update task definition")
  refused({ network_configuration = shop(world).network_configuration }, "Unable to update network parameters")
  refused({ force_new_deployment = true }, "Cannot force a new deployment")
end)

t.test("the tasks of another controller's service are counted and kept up", function()
  local world = adopted "CODE_DEPLOY"
  t.equal(update(world, { desired_count = 3 }).error, nil)
  t.advance(world, 300)
  t.equal({ shop(world).running_count, shop(world).task_sets[1].computed_desired_count }, { 3, 3 })
  local arn = t.call(world, "ecs", "list_tasks", { cluster = "shop-prod" }).task_arns[1]
  t.call(world, "ecs", "stop_task", { cluster = "shop-prod", task = arn })
  t.advance(world, 300)
  t.equal(shop(world).running_count, 3)
end)

t.test("of an external controller's service only the task sets say what runs", function()
  local world = adopted "EXTERNAL"
  local service = shop(world)
  t.equal({ service.deployment_controller.type, service.task_definition, service.deployments, service.load_balancers },
    { "EXTERNAL", nil, {}, {} })
  t.equal({ service.task_sets[1].external_id, #service.task_sets[1].load_balancers }, { nil, 1 })
  t.raises("InvalidParameterException", function() return update(world, { task_definition = "shop-prod:1" }) end)
end)

t.test("nobody can make such a service by a call", function()
  local world = ecs.start { plain = true }
  t.raises("NotSimulated", function()
    return world:call("ecs", "create_service", {
      cluster = "prod", service_name = "other", task_definition = "web", desired_count = 1,
      deployment_controller = { type = "CODE_DEPLOY" },
    }, t.caller)
  end)
end)

-- ---- words of scenarios --------------------------------------------------------------------------

local function newest(world)
  local list = t.call(world, "ecs", "list_service_deployments", { cluster = "shop-prod", service = "shop-prod" })
  return t.call(world, "ecs", "describe_service_deployments", {
    service_deployment_arns = { list.service_deployments[1].service_deployment_arn },
  }).service_deployments[1]
end

local paused = {
  app = "shop", env = "prod", strategy = "BLUE_GREEN", bake = "5m",
  hooks = { { stage = "POST_TEST_TRAFFIC_SHIFT", pause = true, timeout = "2h", on_timeout = "CONTINUE" } },
}

t.test("a scenario's blue/green service stands at once and pauses its next deployment", function()
  local world = t.world()
  control.service(world, paused)
  t.equal(newest(world).status, "SUCCESSFUL")
  t.equal(shop(world).deployment_configuration.bake_time_in_minutes, 5)
  control.image(world, { name = "shop-prod:v2" })
  control.deploy(world, { app = "shop", env = "prod", image = "shop-prod:v2" })
  control.advance(world, { time = "10m" })
  local hook = newest(world).lifecycle_hook_details[1]
  t.equal({ newest(world).lifecycle_stage, hook.status, hook.timeout_action },
    { "POST_TEST_TRAFFIC_SHIFT", "AWAITING_ACTION", "CONTINUE" })
  control.at(world, { time = "1m", command = "continue_deployment", args = { service = "shop-prod" } })
  control.advance(world, { time = "3m" })
  t.equal(newest(world).lifecycle_stage, "BAKE_TIME")
  control.stop_deployment(world, { service = "shop-prod" })
  control.settle(world)
  t.equal(newest(world).status, "ROLLBACK_SUCCESSFUL")
end)

t.test("a scenario says what the function of a hook answers", function()
  local world = t.world()
  control.service(world, { app = "shop", env = "prod", strategy = "CANARY", steps = { percent = 20, bake = "2m" },
    hooks = { { stage = "PRE_SCALE_UP", name = "check" } } })
  t.equal(shop(world).deployment_configuration.canary_configuration,
    { canary_percent = 20, canary_bake_time_in_minutes = 2 })
  control.hook(world, { name = "check", result = "FAILED", after = "1m" })
  control.deploy(world, { service = "shop-prod", image = "shop-prod:v1", wait = true })
  t.contains(newest(world).status_reason, "PRE_SCALE_UP lifecycle hook(s) failed")
end)

t.test("a service can have a history of good deployments of different images", function()
  for _, strategy in ipairs { "ROLLING", "BLUE_GREEN", "LINEAR" } do
    local world = t.world()
    control.service(world,
      { app = "shop", env = "prod", image = "shop:v3", history = { "v1", "v2" }, strategy = strategy })
    local list = t.call(world, "ecs", "list_service_deployments", { cluster = "shop-prod", service = "shop-prod" })
    local digests, images = {}, {}
    for index, brief in ipairs(list.service_deployments) do
      t.equal(brief.status, "SUCCESSFUL")
      local revision = t.call(world, "ecs", "describe_service_revisions",
        { service_revision_arns = { brief.target_service_revision_arn } }).service_revisions[1]
      images[index] = revision.container_images[1].image:match("/(.*)$")
      digests[revision.container_images[1].image_digest] = true
    end
    local count = 0
    for _ in pairs(digests) do
      count = count + 1
    end
    t.equal({ images, count }, { { "shop:v3", "shop:v2", "shop:v1" }, 3 }, strategy)
  end
end)

t.test("words about deployments tell what they do not know", function()
  local world = t.world()
  local function words(command, args)
    local ok, err = pcall(control[command], world, args)
    t.equal(ok, false, command)
    return err
  end
  t.contains(words("service", { steps = { percent = 10 } }), "'steps' goes with the strategy LINEAR or CANARY")
  t.contains(words("service", { hooks = { { stage = "PRE_SCALE_UP", pause = true } } }), "'hooks' go with the strategy")
  t.contains(words("service", { strategy = "CANARY", hooks = { { stage = "PRE_SCALE_UP" } } }),
    "each needs 'pause = true'")
  t.contains(words("service", { strategy = "CANARY", hooks = { { pause = true } } }), "each needs the field 'stage'")
  t.contains(words("service", { controller = "JENKINS" }), "'controller' is \"CODE_DEPLOY\" or \"EXTERNAL\"")
  t.contains(words("service", { strategy = "BLUE_GREEN", bake = "90s" }), "'bake' is in whole minutes")
  t.contains(words("hook", { result = "FAILED" }), "hook needs the field 'stage'")
  t.contains(words("hook", { stage = "PRE_SCALE_UP", result = "MAYBE" }),
    "'result' is SUCCEEDED, FAILED or IN_PROGRESS")
  control.service(world, { app = "shop", env = "prod" })
  t.contains(words("continue_deployment", { service = "shop-prod" }), "no hook of the deployment waits")
  t.contains(words("stop_deployment", { service = "shop-prod" }), "ConflictException")
end)

t.finish()
