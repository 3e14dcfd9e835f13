--- Services whose deployments ECS does not make itself: with the deployment controller CODE_DEPLOY or EXTERNAL they
-- have task sets and no deployments. They are here to be recognised, and refuse what they refuse; nobody deploys
-- them. A scenario makes one out of a service that runs: its deployment becomes a task set, and its tasks are kept
-- up as before.

local names = require "sim.ecs.names"
local texts = require "sim.facts.texts"

local controllers = { operations = {} }

local upper_case = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

-- Who made the task sets, as they say it. D
local makers = { CODE_DEPLOY = "CODE_DEPLOY" }

--- Hands a service that runs over to another controller, "CODE_DEPLOY" or "EXTERNAL".
function controllers.adopt(world, cluster, name, controller)
  local service = names.service(world, cluster, name)
  service.controller = controller
  service.external_id = controller == "CODE_DEPLOY" and "d-" .. world:id(9, upper_case) or nil
  service.current, service.history = nil, {}
end

--- The type of a service's controller.
function controllers.of(service)
  return service.controller or "ECS"
end

-- ---- what they refuse ----------------------------------------------------------------------------

-- Members of UpdateService that such a service does not take, and what they are called in the refusal.
local refused = {
  { member = "task_definition", what = "task definition" },
  { member = "network_configuration", what = "network parameters" },
  { member = "platform_version", what = "platform version" },
  { member = "load_balancers", what = "load balancers" },
  { member = "capacity_provider_strategy", what = "capacity provider strategy" },
}

--- Refuses an update that only another controller can make.
function controllers.check_update(world, service, input)
  local controller = controllers.of(service)
  if controller == "ECS" then
    return
  end
  local suffix = controller == "CODE_DEPLOY" and "codedeploy" or "external"
  for _, item in ipairs(refused) do
    if input[item.member] ~= nil then
      texts.fail(world, "update_" .. suffix, { what = item.what })
    end
  end
  if input.force_new_deployment then
    texts.fail(world, "force_" .. suffix)
  end
end

-- ---- task sets -----------------------------------------------------------------------------------

--- The task sets of a service, as DescribeServices and DescribeTaskSets show them; `counts` by deployment id as
-- {running, pending}.
function controllers.task_sets(world, service, counts)
  local out = {}
  for index, deployment in ipairs(service.deployments) do
    local own, config = counts[deployment.id] or { running = 0, pending = 0 }, deployment.config
    local steady = own.running == deployment.desired and own.pending == 0
    out[index] = {
      id = deployment.id, service_arn = service.arn, cluster_arn = world:arn("ecs", "cluster/" .. service.cluster),
      task_set_arn = world:arn("ecs", ("task-set/%s/%s"):format(service.key, deployment.id)),
      started_by = makers[service.controller], external_id = service.external_id,
      status = index == 1 and "PRIMARY" or "ACTIVE", task_definition = config.task_definition,
      computed_desired_count = deployment.desired, running_count = own.running, pending_count = own.pending,
      created_at = deployment.created_at, updated_at = deployment.updated_at, launch_type = config.launch_type,
      capacity_provider_strategy = config.capacity_provider_strategy, platform_version = "1.4.0",
      platform_family = "Linux", network_configuration = config.network_configuration,
      load_balancers = config.load_balancers or {}, service_registries = config.service_registries or {},
      scale = { value = 100.0, unit = "PERCENT" }, stability_status = steady and "STEADY_STATE" or "STABILIZING",
      stability_status_at = service.steady_at or deployment.updated_at, tags = {},
    }
  end
  return out
end

--- How a service of another controller differs from one that ECS deploys.
function controllers.show(world, service, out, counts)
  if controllers.of(service) == "ECS" then
    return out
  end
  out.deployment_controller = { type = service.controller }
  out.task_sets, out.deployments = controllers.task_sets(world, service, counts), {}
  out.current_service_revisions = nil
  if service.controller == "EXTERNAL" then -- what runs is said by the task sets alone
    out.task_definition, out.launch_type, out.capacity_provider_strategy = nil, nil, nil
    out.network_configuration, out.load_balancers = nil, {}
  end
  return out
end

--- Which of a service's task sets a caller asks for, by id or ARN; all when none is named.
function controllers.chosen(list, wanted)
  if not wanted or #wanted == 0 then
    return list, {}
  end
  local found, missing = {}, {}
  for _, text in ipairs(wanted) do
    local known
    for _, set in ipairs(list) do
      known = (set.id == text or set.task_set_arn == text) and set or known
    end
    if known then
      found[#found + 1] = known
    else
      missing[#missing + 1] = { arn = text, reason = "MISSING" }
    end
  end
  return found, missing
end

return controllers
