-- expect: aws Failed
return {
  plan = function(run, args)
    local started = 0
    local list = {}
    for i = 1, 100 do list[i] = i end
    local ok, err = pcall(each, list, function(v)
      started = started + 1
      test.wait{ seconds = 1, fail = v == 3 and "three" or nil }
    end, { limit = 5 })
    assert(not ok and err.message == "three" and started <= 10, started)
    error(err)
  end,
}
