-- expect: ok
-- clock: real
-- A merge sort ends with the same values whatever the comparison says.
return {
  plan = function(run, args)
    local t = {}
    for i = 1, 1000 do t[i] = i end
    table.sort(t, function() return true end)
    local sum = 0
    for i = 1, 1000 do sum = sum + t[i] end
    assert(sum == 500500 and #t == 1000)
  end,
}
