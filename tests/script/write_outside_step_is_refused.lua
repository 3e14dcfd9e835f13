-- expect: refused WriteOutsideStep
return {
  plan = function(run, args)
    test.write{ value = 1 }
  end,
}
