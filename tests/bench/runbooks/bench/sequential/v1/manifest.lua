return {
  name = "bench/sequential",
  version = "1.0.0",
  moonbook = 1,
  summary = "Make many calls one after another",
  kind = "monitor",
  effect = "reads",
  uses = { "ecs.describe_services" },
  args = {
    { name = "calls", type = "integer", default = 1000, doc = "how many calls" },
  },
}
