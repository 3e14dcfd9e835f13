local runbook = {}

function runbook.verify(run, args)
  local calls = {}
  for i = 1, args.calls do
    calls[i] = i
  end
  each(calls, function()
    local answer = ecs.describe_services { cluster = "prod", services = { "service-00001" } }
    assert(answer.services[1].running_count == 4)
  end, { limit = args.in_flight })
end

return runbook
