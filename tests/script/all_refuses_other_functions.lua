-- expect: error takes a primitive
return {
  plan = function(run, args)
    all(print, {})
  end,
}
