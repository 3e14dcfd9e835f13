-- expect: error inside another step
return {
  plan = function(run, args)
    step('a', function() together{ function() step('b', print) end } end)
  end,
}
