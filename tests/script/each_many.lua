-- expect: ok
return {
  plan = function(run, args)
    local list = {}
    for i = 1, 3000 do list[i] = i end
    local r = each(list, function(v) test.wait{ seconds = 1 } return v end, { limit = 1000 })
    assert(#r == 3000 and r[1] == 1 and r[3000] == 3000)
    assert(now() - 1700000001 < 4)
  end,
}
