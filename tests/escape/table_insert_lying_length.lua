-- expect: ok
-- clock: real
return {
  plan = function(run, args)
    local t = setmetatable({}, { __len = function() return 2^40 // 1 | 0 end })
    table.insert(t, 1, 'x')
    assert(rawget(t, 1) == 'x')
  end,
}
