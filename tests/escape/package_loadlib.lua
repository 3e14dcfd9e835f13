-- expect: script NotAvailable
return {
  plan = function(run, args)
    package.loadlib('x', 'y')
  end,
}
