-- expect: error longer than 16 MiB
-- clock: real
return {
  plan = function(run, args)
    local s = ("x"):rep(100000)
    return ((s:gsub('x', s)))
  end,
}
