-- expect: limit TimeLimit
-- clock: real
return {
  plan = function(run, args)
    table.sort({ 1, 2, 3 }, function() while true do end end)
  end,
}
