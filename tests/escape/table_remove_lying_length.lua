-- expect: ok
-- clock: real
-- Lengths are raw: __len is not asked.
return {
  plan = function(run, args)
    local t = setmetatable({}, { __len = function() return 2^40 // 1 | 0 end })
    assert(table.remove(t) == nil)
  end,
}
