-- expect: error longer than 16 MiB
-- clock: real
return {
  plan = function(run, args)
    return ("x"):rep(2^34 // 1 | 0)
  end,
}
