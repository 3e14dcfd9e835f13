return {
  summary = "Follows one deployment of a service to its end",
  arguments = {
    { name = "cluster", type = "string", required = true, doc = "the cluster" },
    { name = "service", type = "string", required = true, doc = "the service" },
    {
      name = "deployment",
      type = "map",
      doc = "{id, task_definition, created_at} as moonbook.deployment's started() gives it; else the primary one as it is now",
    },
    {
      name = "goal",
      type = "string",
      doc = "deployed, or what to wait for instead: started, traffic_shifted, stable, drained",
    },
    { name = "wait", type = "duration", doc = "how long to follow it; 15m" },
    {
      name = "abort_early",
      type = "boolean",
      doc = "end at once when tasks fail for a cause that cannot come right",
    },
  },
  results = "a map {outcome, message, id, arn, cluster, name, deployment, service, service_deployment}; outcome is one of "
    .. "completed, failed, rolled_back, stopped, superseded, paused, deleted, hopeless, timed_out",
  calls = {
    "ecs.describe_services",
    "ecs.list_service_deployments",
    "ecs.describe_service_deployments",
    "ecs.describe_service_revisions",
    "ecs.list_tasks",
    "ecs.describe_tasks",
    "elbv2.describe_target_health",
  },
  module = "moonbook.deployment",
  ["function"] = "follow",
  waits = true,
  since = "0.1.0",
}
