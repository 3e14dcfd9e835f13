-- expect: limit TimeLimit
-- clock: real
return {
  plan = function(run, args)
    wait_until{ check = function() while true do end end, timeout = 5 }
  end,
}
