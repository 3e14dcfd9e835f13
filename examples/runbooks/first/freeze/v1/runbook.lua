local runbook = {}

function runbook.verify(run, args)
  local answer = calendar.is_frozen { day = args.day }
  check("deployments are allowed", not answer.frozen, ("on %s"):format(args.day))
end

return runbook
