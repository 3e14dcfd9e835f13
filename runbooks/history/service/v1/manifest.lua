return {
  name = "history/service",
  version = "1.0.0",
  moonbook = 1,
  summary = "Show every past deployment: when, what, how it ended, and whether one can go back to it",
  kind = "monitor",
  effect = "reads",
  uses = {
    "ecs.describe_services",
    "ecs.list_service_deployments",
    "ecs.describe_service_deployments",
    "ecs.describe_service_revisions",
    "ecs.describe_task_definition",
    "ecr.describe_images",
  },
  args = {
    { name = "cluster", type = "string", required = true, setting = "cluster", doc = "the cluster" },
    { name = "service", type = "string", required = true, setting = "service", doc = "the service" },
    {
      name = "limit",
      type = "integer",
      default = 20,
      doc = "how many of the newest deployments to show",
    },
  },
}
