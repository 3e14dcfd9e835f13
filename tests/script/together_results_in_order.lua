-- expect: ok
return {
  plan = function(run, args)
    local r = together{
      function() sleep(3) return "slow", "second" end,
      function() return "quick" end,
      function() test.wait{ seconds = "1s" } return 3 end,
    }
    assert(#r == 3 and r[1] == "slow" and r[2] == "quick" and r[3] == 3)
    local named = together{ a = function() sleep(1) return 1 end, b = function() return 2 end }
    assert(named.a == 1 and named.b == 2)
    assert(#together{} == 0)
  end,
}
