local runbook = {}

function runbook.verify(run, args)
  for _ = 1, args.calls do
    local answer = ecs.describe_services { cluster = "prod", services = { "service-00001" } }
    assert(answer.services[1].running_count == 4)
  end
end

return runbook
