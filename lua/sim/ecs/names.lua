--- Names of ECS things: how they are made, and how a caller's short name or ARN finds them.

local texts = require "sim.facts.texts"
local util = require "sim.util"

local names = {}

local url_safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

--- A number of 19 digits, as deployments and service revisions have it.
function names.long_number(world)
  return world:id(1, "123456789") .. world:id(18, "0123456789")
end

function names.deployment(world)
  return "ecs-svc/" .. names.long_number(world)
end

function names.service_deployment(world, service)
  return world:arn("ecs", ("service-deployment/%s/%s"):format(service.key, world:id(21, url_safe)))
end

function names.service_revision(world, service)
  return world:arn("ecs", ("service-revision/%s/%s"):format(service.key, names.long_number(world)))
end

--- Whether text can be the name of a cluster, service or family.
function names.valid(text)
  return #text >= 1 and #text <= 255 and not text:find("[^%w_-]")
end

--- The name of the cluster that a caller means; "default" when nothing is said.
function names.cluster_name(text)
  return text and text ~= "" and util.last_part(text) or "default"
end

--- The cluster, which must be there.
function names.cluster(world, text)
  local cluster = world:state("ecs").clusters[names.cluster_name(text)]
  if not cluster or cluster.status ~= "ACTIVE" then
    texts.fail(world, "cluster_missing")
  end
  return cluster
end

-- "service/CLUSTER/NAME" of an ARN names the cluster as well; old ARNs name the service alone.
local function split_arn(text, kind)
  local cluster, name = text:match("^arn:[^:]*:ecs:[^:]*:[^:]*:" .. kind .. "/([^/]+)/([^/]+)$")
  if cluster then
    return cluster, name
  end
  return nil, text:match("([^/]+)$") or text
end

-- The cluster that holds a thing: the one of its ARN when the caller names none.
local function cluster_of(world, cluster_text, from_arn)
  if not from_arn then
    return names.cluster(world, cluster_text)
  end
  if cluster_text and cluster_text ~= "" and names.cluster_name(cluster_text) ~= from_arn then
    texts.fail(world, "cluster_other", { a = from_arn, b = names.cluster_name(cluster_text) })
  end
  return names.cluster(world, from_arn)
end

--- The service that a caller means, or nil.
function names.find_service(world, cluster_text, text)
  local from_arn, name = split_arn(text, "service")
  local cluster = cluster_of(world, cluster_text, from_arn)
  return world:state("ecs").services[cluster.name .. "/" .. name], cluster, name
end

--- The service, which must be there and may be inactive.
function names.service(world, cluster_text, text)
  local service, cluster, name = names.find_service(world, cluster_text, text)
  if not service then
    texts.fail(world, "service_missing")
  end
  return service, cluster, name
end

--- The task that a caller means, or nil.
function names.find_task(world, cluster_text, text)
  local from_arn, id = split_arn(text, "task")
  local cluster = cluster_of(world, cluster_text, from_arn)
  local task = world:state("ecs").tasks[id]
  if task and task.cluster == cluster.name then
    return task, cluster
  end
  return nil, cluster
end

function names.task_arn(world, task)
  return world:arn("ecs", ("task/%s/%s"):format(task.cluster, task.id))
end

return names
