-- expect: ok
return {
  plan = function(run, args)
    pcall(together, { function() sleep(100) log.error("still here") end, function() error("x") end })
    sleep(500)
    local r = together{ function() return 1 end }
    assert(#r == 1 and r[1] == 1)
  end,
}
