-- expect: limit TimeLimit
-- clock: real
return {
  plan = function(run, args)
    local s = ("a"):rep(100000)
    return s:find("(a*)(a*)%1%2b")
  end,
}
