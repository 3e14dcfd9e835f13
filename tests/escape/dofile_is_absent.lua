-- expect: script NotAvailable
return {
  plan = function(run, args)
    dofile('/etc/passwd')
  end,
}
