-- expect: script ScriptError
return {
  plan = function(run, args)
    error('with line')
  end,
}
