-- expect: ok
return {
  plan = function(run, args)
    local t, mt = {}, {}
    tostring(t)
    setmetatable(t, mt)
    for k in pairs(t) do error('saw a key') end
    for k in pairs(mt) do error('saw a key') end
    assert(next(json.decode('[]')) == nil)
    assert(getmetatable(t) == mt)
  end,
}
