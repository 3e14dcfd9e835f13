-- rollback/ecs against single answers: what simulated worlds do not come to, such as a history that ECS has
-- forgotten for its age.

local arn = "arn:aws:ecs:eu-west-1:123456789012:"
local newest = arn .. "service-deployment/shop/web/222"
local old, new = arn .. "service-revision/shop/web/1", arn .. "service-revision/shop/web/2"
local definition_old, definition_new = arn .. "task-definition/web:1", arn .. "task-definition/web:2"

local service = {
  service_name = "web", status = "ACTIVE", desired_count = 1, running_count = 1, task_definition = definition_new,
  deployments = { {
    id = "ecs-svc/2", status = "PRIMARY", rollout_state = "COMPLETED", task_definition = definition_new,
    desired_count = 1, running_count = 1, created_at = 1700000000,
  } },
}

local function revision(name, definition)
  return { service_revision_arn = name, task_definition = definition }
end

local function described(definition)
  return {
    operation = "ecs.describe_task_definition", input = { task_definition = definition },
    output = { task_definition = {
      task_definition_arn = definition, family = "web", status = "ACTIVE",
      container_definitions = { { name = "web", image = "docker.io/library/web:1" } },
    } },
  }
end

-- One deployment is remembered, which began while this ran.
local function answers(sources)
  return {
    { operation = "ecs.describe_services", output = { services = { service } }, times = 0 },
    { operation = "ecs.list_service_deployments", output = { service_deployments = { {
      service_deployment_arn = newest, target_service_revision_arn = new, status = "SUCCESSFUL", created_at = 1700000000,
    } } } },
    { operation = "ecs.describe_service_deployments", output = { service_deployments = { {
      service_deployment_arn = newest, status = "SUCCESSFUL", source_service_revisions = sources,
    } } } },
    { operation = "ecs.describe_service_revisions",
      output = { service_revisions = { revision(new, definition_new), revision(old, definition_old) } } },
    described(definition_old), described(definition_new),
  }
end

return {
  runbook = "rollback/ecs",
  specs = {
    {
      name = "what_ran_before_all_that_ecs_remembers_is_gone_back_to",
      args = { cluster = "shop", service = "web", preflight = false },
      plan_only = true,
      answers = answers { { arn = old } },
      expect = { verdict = "done", exit_code = 0 },
    },
    {
      name = "a_first_deployment_has_nothing_before_it",
      args = { cluster = "shop", service = "web", preflight = false },
      plan_only = true,
      answers = {
        answers {}[1], answers {}[2], answers {}[3],
        { operation = "ecs.describe_service_revisions", output = { service_revisions = { revision(new, definition_new) } } },
      },
      expect = { verdict = "refused_by_plan", exit_code = 30, message = "web:2 is the first version in the history of web: there is nothing to go back to." },
    },
  },
}
