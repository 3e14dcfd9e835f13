-- expect: script X
return {
  plan = function(run, args)
    error({ kind = 'denied', code = 'X', message = 'm' })
  end,
}
