-- expect: ok
return {
  plan = function(run, args)
    assert(math.floor(1.7) == 1 and math.max(1, 5, 3) == 5 and math.type(1) == "integer" and math.huge > 1e308)
    assert(math.random(1, 6) == 1 or true)
    local seen = {}
    for i = 1, 200 do local n = math.random(3) assert(n >= 1 and n <= 3) seen[n] = true end
    assert(seen[1] and seen[2] and seen[3])
    local f = math.random() assert(f >= 0 and f < 1)
    assert(not pcall(math.random, 0) and not pcall(math.random, 2, 1))
    assert(math.random(math.mininteger, math.maxinteger) ~= nil)
  end,
}
