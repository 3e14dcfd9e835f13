-- expect: error inside another step
return {
  plan = function(run, args)
    step('a', function() step('b', print) end)
  end,
}
