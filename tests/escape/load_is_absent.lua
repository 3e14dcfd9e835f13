-- expect: script NotAvailable
return {
  plan = function(run, args)
    load('return 1')()
  end,
}
