-- expect: script NotAvailable
return {
  plan = function(run, args)
    collectgarbage('stop')
  end,
}
