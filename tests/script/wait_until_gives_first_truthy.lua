-- expect: ok
-- log: progress waiting for three: 1 so far
-- log: progress waiting for three: 2 so far
return {
  plan = function(run, args)
    local n = 0
    local a, b = wait_until{
      check = function() n = n + 1 test.wait{ seconds = 1 } if n == 3 then return "a", "b" end return nil, n .. " so far" end,
      every = "2s", timeout = "1m", what = "three",
    }
    assert(a == "a" and b == "b" and n == 3)
  end,
}
