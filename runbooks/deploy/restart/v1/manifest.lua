return {
  name = "deploy/restart",
  version = "1.0.0",
  moonbook = 1,
  summary = "Start every task of a service anew and follow the deployment to its end",
  kind = "deploy",
  effect = "writes",
  uses = {
    "ecs.describe_services",
    "ecs.update_service",
  },
  changes = {
    "Starts a new deployment of {service} in {cluster}, with the task definition it has now",
  },
  confirm = "{cluster}/{service}",
  args = {
    { name = "cluster", type = "string", required = true, setting = "cluster", doc = "the cluster" },
    { name = "service", type = "string", required = true, setting = "service", doc = "the service" },
    {
      name = "wait",
      type = "duration",
      default = "20m",
      doc = "how long to follow the deployment",
    },
  },
}
