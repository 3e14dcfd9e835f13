-- Uses a primitive that examples/primitive.c adds; `moonbook` alone does not know it.
return {
  name = "first/freeze",
  version = "1.0.0",
  moonbook = 1,
  summary = "Check that deployments are not frozen on a day",
  kind = "validate",
  effect = "reads",
  uses = { "calendar.is_frozen" },
  args = {
    { name = "day", type = "string", required = true, doc = "name of a weekday" },
  },
}
