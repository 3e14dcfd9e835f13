-- expect: error __gc
-- clock: real
return {
  plan = function(run, args)
    local mt = { __gc = true }
    setmetatable({}, mt)
    mt.__gc = function() while true do end end
  end,
}
