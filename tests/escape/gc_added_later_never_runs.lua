-- expect: ok
-- clock: real
return {
  plan = function(run, args)
    local mt, ran = {}, false
    mt.__index = mt
    local t = setmetatable({}, mt)
    mt.__gc = function() ran = true end
    setmetatable(t, nil)
    pcall(setmetatable, {}, mt)
    t = nil
    for i = 1, 200000 do local _ = { i } end
    assert(ran == false)
  end,
}
