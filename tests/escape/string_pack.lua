-- expect: script NotAvailable
-- clock: real
return {
  plan = function(run, args)
    return string.pack(("i16"):rep(10000000))
  end,
}
