-- expect: ok
-- clock: real
return {
  plan = function(run, args)
    local t = setmetatable({ 3, 1, 2 }, { __len = function() return 2^31 // 1 - 2 | 0 end })
    table.sort(t)
    assert(t[1] == 1 and t[3] == 3)
  end,
}
