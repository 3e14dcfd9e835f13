-- expect: limit TimeLimit
-- clock: real
return {
  plan = function(run, args)
    together{ function() while true do end end, function() sleep(1) end }
  end,
}
