return {
  summary = "Follows one deployment of a service to its end",
  arguments = {
    { name = "cluster", type = "string", required = true, doc = "the cluster" },
    { name = "service", type = "string", required = true, doc = "the service" },
    {
      name = "deployment",
      type = "map",
      required = true,
      doc = "what moonbook.deployment's started() gave of the answer to the write",
    },
    { name = "timeout", type = "duration", doc = "how long to follow it; 15m" },
  },
  results = "a map {outcome, message, id, cluster, name, deployment, service}; outcome is one of a closed list",
  calls = { "ecs.describe_services" },
  module = "moonbook.deployment",
  ["function"] = "follow",
  waits = true,
  since = "0.1.0",
}
