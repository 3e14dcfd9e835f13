-- expect: script NotAvailable
return {
  plan = function(run, args)
    os.execute('true')
  end,
}
