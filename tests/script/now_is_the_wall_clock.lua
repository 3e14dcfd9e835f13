-- expect: ok
return {
  plan = function(run, args)
    local t = now()
    assert(t >= 1700000000 and math.type(t) == 'float')
  end,
}
