return {
  name = "causes/explain",
  version = "1.0.0",
  moonbook = 1,
  summary = "Say why a deployment failed, for the tests of moonbook.explain",
  kind = "monitor",
  effect = "reads",
  uses = {
    "ecs.describe_services",
    "ecs.describe_tasks",
    "ecs.explain",
    "ecs.list_service_deployments",
    "ecs.list_tasks",
  },
  args = {
    { name = "cluster", type = "string", required = true, doc = "the cluster" },
    { name = "service", type = "string", required = true, doc = "the service" },
    { name = "nth", type = "integer", doc = "explain the nth newest service deployment, not the one in trouble" },
    { name = "failed", type = "boolean", default = false, doc = "explain the one that ECS says has failed, by its id" },
    { name = "primary", type = "boolean", default = false, doc = "explain the primary deployment, by its id" },
  },
}
