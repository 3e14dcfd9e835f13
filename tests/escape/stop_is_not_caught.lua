-- expect: cancelled Cancelled
-- clock: real
return {
  plan = function(run, args)
    pcall(test.stop)
    while true do
      pcall(function() while true do end end)
    end
  end,
}
