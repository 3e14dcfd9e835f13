-- expect: ok
return {
  plan = function(run, args)
    local before = now()
    together{ function() sleep(10) end, function() sleep(10) end, function() sleep("10s") end }
    assert(now() - before < 11, "they ran one after another")
  end,
}
