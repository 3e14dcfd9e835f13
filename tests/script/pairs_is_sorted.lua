-- expect: ok
return {
  plan = function(run, args)
    local keys = {}
    for k, v in pairs({ b = 1, a = 2, [10] = 3, [2.5] = 4, [true] = 5, [false] = 6, [-1] = 7, aa = 8 }) do
      keys[#keys + 1] = tostring(k)
    end
    assert(table.concat(keys, " ") == "-1 2.5 10 a aa b false true", table.concat(keys, " "))
    local t = { a = 1, b = 2, c = 3 }
    local seen = {}
    for k in pairs(t) do t.b = nil t.z = 1 seen[#seen + 1] = k end
    assert(table.concat(seen) == "ac")
    assert(next({}) == nil and next({ b = 1, a = 2 }) == "a")
    local n = 0
    for k, v in pairs(run.args) do n = n + 1 end
    assert(n == 2)
    for i, v in ipairs(run.args.list) do assert(i == v) end
  end,
}
