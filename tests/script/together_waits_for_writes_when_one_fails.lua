-- expect: aws Failed
-- log: step 1 write
-- log: call 4 test.slow_write
-- log: ended 2 Failed
-- log: ended 4 ok
-- log: step 1 ended the task that had started it failed
-- log: ended 1 Cancelled
return {
  plan = function(run, args)
    local reached = false
    local ok, err = pcall(together, {
      function() test.wait{ seconds = 100 } reached = true end,
      function()
        step("write", function()
          each({ 1 }, function()
            test.slow_write{ seconds = 5 }
            reached = true
            test.slow_write{ seconds = 5 }
          end)
          reached = true
        end)
      end,
      function() sleep(2) reached = true end,
      function() test.wait{ seconds = 1, fail = "first" } end,
      function() test.wait{ seconds = 3, fail = "later" } end,
    })
    assert(not ok and err.message == "first" and not reached)
    assert(now() == 1700000006, tostring(now()))
    error(err)
  end,
}
