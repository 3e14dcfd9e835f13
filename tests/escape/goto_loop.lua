-- expect: limit TimeLimit
-- clock: real
return {
  plan = function(run, args)
    ::again::
    goto again
  end,
}
