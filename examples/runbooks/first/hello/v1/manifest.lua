-- The smallest runbook: it reads nothing, writes nothing, and needs no AWS.
return {
  name = "first/hello",
  version = "1.0.0",
  moonbook = 1,
  summary = "Say hello",
  kind = "monitor",
  effect = "reads",
  args = {
    { name = "name", type = "string", default = "world", doc = "whom to greet" },
  },
}
