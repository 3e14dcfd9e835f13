-- expect: script NotAvailable
return {
  plan = function(run, args)
    loadstring('x')
  end,
}
