-- expect: script NotAvailable
return {
  plan = function(run, args)
    string.dump(print)
  end,
}
