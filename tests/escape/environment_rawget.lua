-- expect: ok
return {
  plan = function(run, args)
    assert(rawget(_ENV, 'string') == nil)
    for k in pairs(_ENV) do error('saw ' .. k) end
    assert(next(_ENV) == nil)
  end,
}
