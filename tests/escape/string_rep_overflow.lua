-- expect: error longer than 16 MiB
-- clock: real
return {
  plan = function(run, args)
    return ("xx"):rep(math.maxinteger)
  end,
}
