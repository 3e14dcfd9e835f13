-- expect: script ScriptError
-- log: step 1 x
-- log: step 1 ended broke
return {
  plan = function(run, args)
    step('x', function() sleep(1) error('broke') end)
  end,
}
