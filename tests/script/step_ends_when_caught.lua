-- expect: ok
-- log: step 1 a
-- log: step 1 ended x
-- log: step 2 b
-- log: step 2 ended ok
return {
  plan = function(run, args)
    pcall(step, 'a', function() error('x') end)
    step('b', function() end)
  end,
}
