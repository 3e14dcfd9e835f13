-- expect: script NotAvailable
return {
  plan = function(run, args)
    return ("").dump(print)
  end,
}
