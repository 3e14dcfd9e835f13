return {
  summary = "Follows deployments of several services to their ends at the same time, with few calls",
  arguments = {
    {
      name = "deployments",
      type = "list",
      required = true,
      doc = "of {cluster, service, deployment, goal, wait, abort_early}, each as ecs.follow_deployment takes them",
    },
  },
  results = "a map {outcomes}: what ecs.follow_deployment gives of each, in the same order",
  calls = { "ecs.follow_deployment" },
  module = "moonbook.deployment",
  ["function"] = "follow_several",
  waits = true,
  since = "0.1.0",
}
