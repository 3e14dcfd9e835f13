-- expect: ok
return {
  plan = function(run, args)
    local mt = {}
    local t = setmetatable({}, mt)
    mt.__mode = 'kv'
    t[1] = {}
    for i = 1, 300000 do local _ = { i } end
    assert(t[1] ~= nil)
  end,
}
