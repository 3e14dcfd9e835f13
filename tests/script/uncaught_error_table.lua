-- expect: script Custom
return {
  plan = function(run, args)
    error{ code = 'Custom', message = 'mine', next = 'do this' }
  end,
}
