return {
  name = "deploy/follow",
  version = "1.0.0",
  moonbook = 1,
  summary = "Follow the deployment that is under way to its end, whoever started it",
  kind = "deploy",
  effect = "reads",
  uses = {
    "ecs.describe_services",
    "ecs.list_service_deployments",
    "ecs.describe_service_deployments",
    "ecs.describe_service_revisions",
    "ecs.follow_deployment",
    "ecs.explain",
  },
  args = {
    { name = "cluster", type = "string", required = true, setting = "cluster", doc = "the cluster" },
    { name = "service", type = "string", required = true, setting = "service", doc = "the service" },
    {
      name = "goal",
      type = "choice",
      choices = { "started", "deployed", "traffic_shifted", "stable", "drained" },
      default = "deployed",
      doc = "what to wait for",
    },
    { name = "wait", type = "duration", default = "20m", doc = "how long to follow it" },
  },
}
