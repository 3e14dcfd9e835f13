-- expect: script NotAvailable
return {
  plan = function(run, args)
    rawset(string, 'x', 1)
  end,
}
