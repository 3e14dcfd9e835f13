return {
  name = "follow/several",
  version = "1.0.0",
  moonbook = 1,
  summary = "Follow the deployments of two services at the same time",
  kind = "monitor",
  effect = "reads",
  uses = { "ecs.follow_deployments" },
  args = {
    { name = "first_wait", type = "duration", default = "20m", doc = "how long to follow the first" },
  },
}
