-- expect: ok
return {
  plan = function(run, args)
    local ok, v = pcall(function() sleep(1) return "v" end)
    assert(ok and v == "v")
    local bad, e = pcall(function() sleep(1) error("late", 0) end)
    assert(not bad and e == "late")
    local x, y = xpcall(function() sleep(1) error("h", 0) end, function(m) sleep(1) return m .. "!" end)
    assert(x == false and y == "h!")
    local t = { xpcall(function(...) return ... end, print, 1, 2) }
    assert(#t == 3 and t[1] == true and t[3] == 2)
  end,
}
