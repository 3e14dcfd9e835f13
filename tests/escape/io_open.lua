-- expect: script NotAvailable
return {
  plan = function(run, args)
    io.open('/etc/passwd')
  end,
}
