return {
  name = "bench/concurrent",
  version = "1.0.0",
  moonbook = 1,
  summary = "Make many calls at once",
  kind = "monitor",
  effect = "reads",
  uses = { "ecs.describe_services" },
  args = {
    { name = "calls", type = "integer", default = 1000, doc = "how many calls" },
    { name = "in_flight", type = "integer", default = 64, doc = "how many at the same time" },
  },
}
