-- expect: error did you mean together?
return {
  plan = function(run, args)
    togehter{}
  end,
}
