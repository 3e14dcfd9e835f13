-- expect: limit TimeLimit
-- clock: real
return {
  plan = function(run, args)
    return (("x"):rep(200000)):find(".-.-.-b")
  end,
}
