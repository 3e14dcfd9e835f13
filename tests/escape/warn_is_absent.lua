-- expect: script NotAvailable
return {
  plan = function(run, args)
    warn('@on')
  end,
}
