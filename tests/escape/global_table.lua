-- expect: script NotAvailable
return {
  plan = function(run, args)
    _G.pairs = nil
  end,
}
