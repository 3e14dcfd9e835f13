-- expect: script NotAvailable
return {
  plan = function(run, args)
    debug.getregistry()
  end,
}
