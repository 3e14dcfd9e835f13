-- expect: ok
-- log: step 1 first
-- log: step 1 ended ok
-- log: step 2 second
-- log: call 1 test.write
-- log: step 2 ended ok
return {
  plan = function(run, args)
    assert(step("first", function() return 1, 2 end) == 1)
    step("second", function() sleep(1) test.write{ value = 1 } end)
  end,
}
