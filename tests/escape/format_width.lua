-- expect: error invalid
-- clock: real
return {
  plan = function(run, args)
    return string.format('%1000000d', 1)
  end,
}
