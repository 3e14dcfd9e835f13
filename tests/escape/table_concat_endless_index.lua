-- expect: error cannot join the nil
-- clock: real
return {
  plan = function(run, args)
    local t = setmetatable({}, { __index = function() return 'x' end })
    return table.concat(t, '', 1, 2^40 // 1 | 0)
  end,
}
