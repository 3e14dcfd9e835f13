-- expect: error not a mixture
return {
  plan = function(run, args)
    together{ print, a = print }
  end,
}
