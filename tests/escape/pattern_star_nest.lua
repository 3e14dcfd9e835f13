-- expect: limit TimeLimit
-- clock: real
return {
  plan = function(run, args)
    local s = ("a"):rep(28)
    return s:find(("a*"):rep(14) .. "b")
  end,
}
