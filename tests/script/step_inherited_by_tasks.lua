-- expect: ok
-- log: step 1 a
-- log: call 1 test.write
-- log: step 1 ended ok
return {
  plan = function(run, args)
    step('a', function() together{ function() test.write{ value = 1 } end } end)
  end,
}
