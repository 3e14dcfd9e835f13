-- expect: error between 0 and 1e9
-- clock: real
return {
  plan = function(run, args)
    sleep(-1)
  end,
}
