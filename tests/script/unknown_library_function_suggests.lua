-- expect: error did you mean string.upper?
return {
  plan = function(run, args)
    return ('x'):uper()
  end,
}
