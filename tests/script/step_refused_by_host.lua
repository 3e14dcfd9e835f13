-- expect: refused NoStep
return {
  plan = function(run, args)
    step('refused', print)
  end,
}
