-- Checks name what came of each, for the specs to look at.

local runbook = {}

function runbook.verify(run, args)
  local answer = ecs.follow_deployments {
    deployments = {
      { cluster = "c", service = "one-dev", wait = args.first_wait },
      { cluster = "c", service = "two-dev", wait = 1200 },
    },
  }
  for _, ended in ipairs(answer.outcomes) do
    check(("%s: %s"):format(ended.name, ended.outcome), true)
  end
end

return runbook
