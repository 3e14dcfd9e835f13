-- expect: error loop
-- clock: real
return {
  plan = function(run, args)
    local a, b = {}, {}
    setmetatable(a, { __index = b })
    setmetatable(b, { __index = a })
    return a.x
  end,
}
