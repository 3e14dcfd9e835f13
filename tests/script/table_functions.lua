-- expect: ok
return {
  plan = function(run, args)
    local t = { 1, 2, 4 }
    table.insert(t, 3, 3) table.insert(t, 5)
    assert(table.concat(t, ",") == "1,2,3,4,5" and table.remove(t) == 5 and table.remove(t, 1) == 1)
    assert(table.concat(t, ",", 2, 3) == "3,4" and table.concat({}) == "" and table.remove({}) == nil)
    assert(not pcall(table.insert, t, 9, 1) and not pcall(table.insert, t) and not pcall(table.remove, t, 9))
    assert(table.concat(table.move({ 1, 2, 3 }, 1, 3, 2), ",") == "1,1,2,3")
    assert(table.concat(table.move({ 1, 2, 3 }, 2, 3, 1), ",") == "2,3,3")
    assert(#table.move({ 1, 2 }, 1, 2, 1, {}) == 2)
    local p = table.pack(1, nil, 3)
    assert(p.n == 3 and p[3] == 3 and select("#", table.unpack(p, 1, p.n)) == 3)
    local s = { 5, 2, 8, 1, 9, 3 }
    table.sort(s) assert(table.concat(s) == "123589")
    table.sort(s, function(a, b) return a > b end) assert(table.concat(s) == "985321")
    local words = { "bb", "a", "cc", "b", "aa" }
    table.sort(words, function(a, b) return #a < #b end)
    assert(table.concat(words, " ") == "a b bb cc aa")
    assert(not pcall(table.sort, { 1, "x" }))
    local big = {}
    for i = 1, 1000 do big[i] = (i * 7919) % 1009 end
    table.sort(big)
    for i = 2, 1000 do assert(big[i - 1] <= big[i]) end
  end,
}
