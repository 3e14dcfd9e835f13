-- expect: aws Failed
-- log: call 1 test.wait
-- log: call 2 test.wait
-- log: step 1 open
-- log: ended 2 Failed
-- log: step 1 ended the task that had started it failed
-- log: ended 1 Cancelled
return {
  plan = function(run, args)
    local reached = false
    local ok, err = pcall(together, {
      function() test.wait{ seconds = 100 } reached = true end,
      function() sleep(50) reached = true end,
      function() test.wait{ seconds = 1, fail = "first" } end,
      function() step("open", function() sleep(500) end) end,
    })
    assert(not ok and err.message == "first" and err.code == "Failed" and not reached)
    assert(err.where == "together_first_error_cancels_the_rest.lua:14", err.where)
    assert(now() < 1700000010)
    error(err)
  end,
}
