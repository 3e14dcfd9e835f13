--- The service as ECS knows it: its cluster, how it was deployed before, from what, and its tasks.

local lists = require "lib.lists"

local history = {}

-- ---- deployments and revisions -------------------------------------------------------------------

local function deployments_of(reader, service, count)
  local listed = reader:read("service deployments", ecs.list_service_deployments, {
    cluster = service.cluster_arn,
    service = service.service_arn,
    max_results = count,
  }) or {}
  local arns, add = lists.set()
  add(service.current_service_deployment)
  for _, brief in ipairs(listed.service_deployments or {}) do
    add(brief.service_deployment_arn)
  end
  return reader:gather(
    lists.parts(arns, 20),
    "service_deployments",
    "service deployments",
    ecs.describe_service_deployments,
    function(part)
      return { service_deployment_arns = part }
    end
  )
end

local function revisions_of(reader, service, deployments)
  local arns, add = lists.set()
  for _, revision in ipairs(service.current_service_revisions or {}) do
    add(revision.arn)
  end
  for _, deployment in ipairs(deployments) do
    add((deployment.target_service_revision or {}).arn)
    add((deployment.rollback or {}).service_revision_arn)
    for _, source in ipairs(deployment.source_service_revisions or {}) do
      add(source.arn)
    end
  end
  return reader:gather(
    lists.parts(arns, 20),
    "service_revisions",
    "service revisions",
    ecs.describe_service_revisions,
    function(part)
      return { service_revision_arns = part }
    end
  )
end

-- ---- tasks ---------------------------------------------------------------------------------------

local function tasks_of(reader, service)
  local arns, add = lists.set()
  each({ "RUNNING", "STOPPED" }, function(status)
    local listed = reader:all(status:lower() .. " tasks", ecs.list_tasks, {
      cluster = service.cluster_arn,
      service_name = service.service_name,
      desired_status = status,
    })
    for _, arn in ipairs(listed.task_arns or {}) do
      add(arn)
    end
  end)
  return reader:gather(lists.parts(arns, 100), "tasks", "tasks", ecs.describe_tasks, function(part)
    return { cluster = service.cluster_arn, tasks = part, include = { "TAGS" } }
  end)
end

-- ---- task definitions ----------------------------------------------------------------------------

local function family_of(arn)
  return arn:match("([^/]+):%d+$")
end

-- The newest active revision of each family: the next one that is registered comes after it.
local function newest_of(reader, arns)
  local families, add = lists.set()
  for _, arn in ipairs(arns) do
    add(family_of(arn))
  end
  return reader:gather(
    families,
    "task_definition_arns",
    "newest revision of",
    ecs.list_task_definitions,
    function(family)
      return { family_prefix = family, sort = "DESC", status = "ACTIVE", max_results = 1 }
    end
  )
end

local function definitions_of(reader, service, revisions, tasks)
  local arns, add = lists.set()
  add(service.task_definition)
  for _, deployment in ipairs(service.deployments or {}) do
    add(deployment.task_definition)
  end
  for _, revision in ipairs(revisions) do
    add(revision.task_definition)
  end
  for _, task in ipairs(tasks) do
    add(task.task_definition_arn)
  end
  for _, arn in ipairs(newest_of(reader, arns)) do
    add(arn)
  end
  local found = {}
  local answers = each(arns, function(arn)
    return reader:read("task definition " .. arn, ecs.describe_task_definition, {
      task_definition = arn,
      include = { "TAGS" },
    }) or false
  end)
  for _, answer in ipairs(answers) do
    found[#found + 1] = answer or nil
  end
  return found
end

--- What ECS says of a service: {clusters, services, service_deployments, service_revisions, tasks,
-- task_definitions = list of {task_definition, tags}}. `count`: how many deployments of the past.
function history.read(reader, service, count)
  local out = { services = { service } }
  together {
    function()
      local answer = reader:read("cluster", ecs.describe_clusters, {
        clusters = { service.cluster_arn },
        include = { "SETTINGS", "CONFIGURATIONS", "TAGS" },
      }) or {}
      out.clusters = answer.clusters
    end,
    function()
      out.service_deployments = deployments_of(reader, service, count)
      out.service_revisions = revisions_of(reader, service, out.service_deployments)
    end,
    function()
      out.tasks = tasks_of(reader, service)
    end,
  }
  out.task_definitions = definitions_of(reader, service, out.service_revisions, out.tasks)
  return out
end

return history
