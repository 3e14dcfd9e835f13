--- Reading ECS services.
--
--     local services = require "moonbook.services"
--     local service, why = services.find(args.cluster, args.service)
--     if not service then
--       return { refuse = why }
--     end
--
-- Uses: ecs.describe_services.

local patience = require "moonbook.patience"

local services = {}

--- One service as ECS describes it, whatever its status. `include`: what else to ask for, as
-- DescribeServices takes it ({ "TAGS" }). Gives nil and a sentence when there is no such service or no
-- such cluster; every other failure (access denied, no network) is raised.
function services.find(cluster, name, include)
  local answer, err =
    patience.attempt(ecs.describe_services, { cluster = cluster, services = { name }, include = include })
  if not answer then
    if err.code == "ClusterNotFoundException" then
      return nil, ("There is no cluster %s."):format(cluster)
    end
    -- ECS answers 200 and lists what it could not find; that is raised with the reason it gives.
    if err.code == "MISSING" then
      return nil, ("There is no service %s in cluster %s."):format(name, cluster)
    end
    error(err, 0)
  end
  local service = answer.services and answer.services[1]
  if not service then
    return nil, ("There is no service %s in cluster %s."):format(name, cluster)
  end
  return service
end

local BATCH = 10 -- DescribeServices takes no more at once

--- Several services of one cluster, whatever their status, by name: { name = service }. Those that do not
-- exist are absent; of a cluster that does not exist, all are.
function services.find_all(cluster, names)
  local found = {}
  for first = 1, #names, BATCH do
    local batch = table.move(names, first, math.min(first + BATCH - 1, #names), 1, {})
    local answer, err = patience.attempt(ecs.describe_services, { cluster = cluster, services = batch })
    if not answer and err.code ~= "ClusterNotFoundException" and not (err.code == "MISSING" and err.output) then
      error(err, 0)
    end
    for _, service in ipairs((answer or err.output or {}).services or {}) do
      found[service.service_name] = service
    end
  end
  return found
end

--- A service that is ACTIVE, or nil and a sentence. `include` as for services.find.
function services.active(cluster, name, include)
  local service, why = services.find(cluster, name, include)
  if not service then
    return nil, why
  end
  if service.status ~= "ACTIVE" then
    return nil, ("Service %s is %s, not ACTIVE."):format(name, service.status)
  end
  return service
end

--- The deployment whose status is PRIMARY: the newest one. nil when ECS lists none.
function services.primary(service)
  for _, deployment in ipairs(service.deployments or {}) do
    if deployment.status == "PRIMARY" then
      return deployment
    end
  end
  return nil
end

--- The deployment with the given id, or nil.
function services.deployment(service, id)
  for _, deployment in ipairs(service.deployments or {}) do
    if deployment.id == id then
      return deployment
    end
  end
  return nil
end

--- "web:42" of ".../task-definition/web:42"; "?" for nil.
function services.revision(task_definition)
  return task_definition and task_definition:match("([^/]+)$") or "?"
end

--- "3 of 4 running, 1 pending": how far a service or a deployment is.
function services.counts(thing)
  local text = ("%d of %d running"):format(thing.running_count or 0, thing.desired_count or 0)
  if (thing.pending_count or 0) > 0 then
    text = text .. (", %d pending"):format(thing.pending_count)
  end
  if (thing.failed_tasks or 0) > 0 then
    text = text .. (", %d failed to start"):format(thing.failed_tasks)
  end
  return text
end

--- The command that runs a runbook for a service, for `next`: what to run then.
function services.command(runbook, cluster, name)
  return ("moonbook run %s --cluster %s --service %s"):format(runbook, cluster, name)
end

--- Whether moonbook.deployment can follow this service's deployments: true, or false and why not.
-- Services driven by CodeDeploy or by an external controller have task sets, which say nothing
-- about how a rollout goes.
function services.followable(service)
  local controller = service.deployment_controller and service.deployment_controller.type or "ECS"
  local name = service.service_name
  if controller ~= "ECS" then
    return false,
      ("Service %s is deployed by %s; only services that ECS itself deploys can be followed."):format(
        name,
        controller
      )
  end
  local primary = services.primary(service)
  if not primary then
    return false, ("Service %s lists no primary deployment."):format(name)
  end
  if not primary.rollout_state then
    return false, ("Service %s does not report the state of its rollouts."):format(name)
  end
  return true
end

return services
