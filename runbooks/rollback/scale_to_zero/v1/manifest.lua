return {
  name = "rollback/scale_to_zero",
  version = "1.0.0",
  moonbook = 1,
  summary = "Emergency: stop every task of a service, then put its count and auto-scaling limits back",
  kind = "rollback",
  effect = "destroys",
  uses = {
    "ecs.describe_services",
    "ecs.describe_tasks",
    "ecs.list_tasks",
    "ecs.tag_resource",
    "ecs.untag_resource",
    "ecs.update_service",
    "elbv2.describe_target_health",
    "application_autoscaling.describe_scalable_targets",
    "application_autoscaling.register_scalable_target",
    "http.get", -- stands in moonbook.health and is not called from here; without `hosts` it reaches nothing
  },
  changes = {
    "{action} {service} in {cluster}: from stop to restore no task runs, which is an outage",
    "Keeps desired count and auto-scaling limits in the service's tag moonbook:scale-to-zero until they are back",
    "Leaves the task definition as it is: this restarts the current version;"
      .. " `moonbook run rollback/ecs` goes back to the previous one",
  },
  confirm = "{cluster}/{service}",
  timeout = "3h",
  args = {
    { name = "cluster", type = "string", required = true, setting = "cluster", doc = "the cluster" },
    { name = "service", type = "string", required = true, setting = "service", doc = "the service" },
    {
      name = "action",
      type = "choice",
      choices = { "cycle", "stop", "restore" },
      default = "cycle",
      doc = "cycle: stop, then restore; stop: leave it at zero; restore: put back what an earlier run saved",
    },
    {
      name = "hold",
      type = "duration",
      default = "0s",
      doc = "how long cycle stays at zero after the last task has gone, at most 1h",
    },
    {
      name = "desired",
      type = "integer",
      doc = "restore this count, not the saved one; what somebody else changed meanwhile then stays as it is",
    },
    {
      name = "wait",
      type = "duration",
      default = "20m",
      doc = "how long to wait for the tasks to go, and again for them to come back, at most 50m",
    },
  },
}
