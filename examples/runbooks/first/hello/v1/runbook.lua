local runbook = {}

function runbook.verify(run, args)
  log.info(("hello, %s"):format(args.name))
  check("greeted", #args.name > 0, "somebody was there")
  return { message = ("Greeted %s."):format(args.name) }
end

return runbook
