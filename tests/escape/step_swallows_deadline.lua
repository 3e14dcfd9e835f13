-- expect: limit TimeLimit
-- clock: real
return {
  plan = function(run, args)
    while true do
      pcall(step, "spin", function() while true do end end)
    end
  end,
}
