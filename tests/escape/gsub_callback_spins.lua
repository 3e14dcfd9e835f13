-- expect: limit TimeLimit
-- clock: real
return {
  plan = function(run, args)
    return (("x"):gsub(".", function() while true do end end))
  end,
}
