-- expect: refused WriteOutsideStep
return {
  plan = function(run, args)
    step('a', function() end)
    test.write{ value = 1 }
  end,
}
