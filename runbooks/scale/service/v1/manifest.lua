return {
  name = "scale/service",
  version = "1.0.0",
  moonbook = 1,
  summary = "Set how many tasks a service runs and wait until they do",
  kind = "scale",
  effect = "writes",
  uses = {
    "ecs.describe_services",
    "ecs.update_service",
    "application_autoscaling.describe_scalable_targets",
  },
  changes = {
    "Sets the desired count of {service} in {cluster} to {desired_count}",
  },
  confirm = "{cluster}/{service}",
  args = {
    { name = "cluster", type = "string", required = true, setting = "cluster", doc = "the cluster" },
    { name = "service", type = "string", required = true, setting = "service", doc = "the service" },
    { name = "desired_count", type = "integer", required = true, doc = "how many tasks to run" },
    {
      name = "override",
      type = "boolean",
      default = false,
      doc = "also outside the bounds of auto scaling, which will move it back",
    },
    { name = "wait", type = "duration", default = "10m", doc = "how long to wait for the tasks" },
  },
}
