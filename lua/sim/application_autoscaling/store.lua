--- The scalable targets and what all of auto scaling asks of them. Only ECS services are scaled here.

local facts = require "sim.facts.application_autoscaling"

local store = {}

store.dimension = "ecs:service:DesiredCount"

--- Fails unless the input names an ECS service's desired count.
function store.check_kind(world, input)
  local dimension = input.scalable_dimension or store.dimension
  local resource = input.resource_id or "service/x/y"
  if input.service_namespace ~= "ecs" or dimension ~= store.dimension or not resource:find("^service/[^/]+/[^/]+$") then
    world:fail("ValidationException", facts.texts.namespace)
  end
end

--- The target of a resource, or nil.
function store.find(world, resource)
  return world:state("application_autoscaling").targets[resource]
end

--- The target that an input names; fails when there is none.
function store.required(world, input, text)
  store.check_kind(world, input)
  local target = store.find(world, input.resource_id)
  if not target then
    world:fail("ObjectNotFoundException", facts.texts[text or "target_missing_short"]:format(input.resource_id))
  end
  return target
end

--- Cluster and service of "service/CLUSTER/SERVICE".
function store.service_of(resource)
  return resource:match("^service/([^/]+)/([^/]+)$")
end

--- The service of a resource as ECS sees it, or nil.
function store.service(world, resource)
  local cluster, name = store.service_of(resource)
  for _, service in ipairs(require("sim.ecs").services(world)) do
    if service.cluster == cluster and service.service == name then
      return service
    end
  end
end

--- The members that every answer about a resource has.
function store.named(resource, more)
  more.service_namespace, more.resource_id, more.scalable_dimension = "ecs", resource, store.dimension
  return more
end

return store
