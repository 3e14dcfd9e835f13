-- expect: error __gc
-- clock: real
return {
  plan = function(run, args)
    setmetatable({}, { __gc = function() while true do end end })
  end,
}
