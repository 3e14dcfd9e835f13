-- expect: script NotAvailable
return {
  plan = function(run, args)
    math.randomseed(1)
  end,
}
