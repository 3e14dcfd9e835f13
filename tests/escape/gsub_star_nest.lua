-- expect: limit TimeLimit
-- clock: real
return {
  plan = function(run, args)
    return ((("a"):rep(60000)):gsub("a*a*b", ""))
  end,
}
