-- expect: limit TimeLimit
-- clock: real
return {
  plan = function(run, args)
    xpcall(function() error('x') end, function() while true do end end)
  end,
}
