-- A first runbook that talks to AWS. Copy this folder, give it a name of yours, and try:
--
--     MOONBOOK_PATH=examples/runbooks moonbook run monitor/cluster --cluster shop
return {
  name = "monitor/cluster", -- the folder's name
  version = "1.0.0", -- its major version is the folder v1
  moonbook = 1, -- the level of the Lua interface it is written for
  summary = "List the services of a cluster and which of them are short of tasks",
  kind = "monitor",
  effect = "reads",
  -- What it may call; anything else is refused. The IAM policy it needs comes from this list.
  uses = { "ecs.list_services", "ecs.describe_services" },
  args = {
    {
      name = "cluster",
      type = "string",
      required = true,
      setting = "cluster", -- `--env dev` gives it from moonbook.lua
      doc = "the cluster",
    },
  },
}
