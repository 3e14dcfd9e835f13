-- expect: script NotAvailable
return {
  plan = function(run, args)
    loadfile('/etc/passwd')
  end,
}
