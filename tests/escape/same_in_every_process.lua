-- expect: ok
return {
  plan = function(run, args)
    local t = { [true] = 1, [false] = 2, [3] = 3, [2.5] = 4, [print] = 5 }
    for i = 1, 50 do t["k" .. i * 7919 % 101] = i end
    t.z9 = 1
    for k, v in pairs(t) do print(k, v) end
    print(tostring({}), tostring(function() end), tostring(print), string.format("%s", {}))
    print(math.random(), math.random(1000), math.random())
    log.info("fields", { c = 1, a = 2, b = { z = 1, y = 2 } })
    print(json.encode({ q = 1, w = 2, e = 3, r = 4, t = 5 }))
    local _, err = attempt(function() return nil + 1 end)
    print(err)
    return { one = 1, two = 2, three = 3 }
  end,
}
