-- expect: ok
return {
  plan = function(run, args)
    local mt = setmetatable({}, { __index = { __mode = 'v', __gc = print } })
    local t = setmetatable({}, mt)
    t[1] = {}
    for i = 1, 300000 do local _ = { i } end
    assert(t[1] ~= nil)
  end,
}
