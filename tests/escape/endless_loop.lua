-- expect: limit TimeLimit
-- clock: real
return {
  plan = function(run, args)
    while true do end
  end,
}
