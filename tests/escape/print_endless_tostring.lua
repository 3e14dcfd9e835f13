-- expect: limit TimeLimit
-- clock: real
return {
  plan = function(run, args)
    print(setmetatable({}, { __tostring = function() while true do end end }))
  end,
}
