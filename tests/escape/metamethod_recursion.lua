-- expect: error overflow
-- clock: real
return {
  plan = function(run, args)
    local t
    t = setmetatable({}, { __index = function(_, k) return t[k + 1] end })
    return t[1]
  end,
}
