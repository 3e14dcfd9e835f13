-- expect: error together takes functions
return {
  plan = function(run, args)
    together{ 1 }
  end,
}
