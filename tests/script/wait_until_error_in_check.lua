-- expect: script ScriptError
return {
  plan = function(run, args)
    wait_until{ check = function() error('no') end }
  end,
}
