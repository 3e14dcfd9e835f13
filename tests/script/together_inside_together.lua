-- expect: ok
return {
  plan = function(run, args)
    local r = together{
      function() return together{ function() sleep(2) return 1 end, function() return 2 end } end,
      function() return each({ 5, 6 }, function(v) sleep(v) return v * 2 end) end,
    }
    assert(r[1][1] == 1 and r[1][2] == 2 and r[2][1] == 10 and r[2][2] == 12)
  end,
}
