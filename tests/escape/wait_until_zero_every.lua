-- expect: error at least
-- clock: real
return {
  plan = function(run, args)
    wait_until{ check = function() end, every = 0, timeout = 1e9 }
  end,
}
