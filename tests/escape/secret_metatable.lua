-- expect: ok
return {
  plan = function(run, args)
    local s = test.secret()
    assert(getmetatable(s) == false)
    assert(not pcall(setmetatable, s, {}))
    assert(not pcall(function() return s.x end))
    assert(not pcall(function() s.x = 1 end))
    assert(not pcall(function() return #s end))
    assert(not pcall(string.sub, s, 1, 1))
    assert(not pcall(string.byte, s))
    assert(not pcall(table.concat, { s }))
    assert(not pcall(string.rep, s, 2))
    assert(not pcall(string.find, s, 'h'))
    assert(not pcall(string.gsub, 'x', 'x', s))
    assert(not pcall(string.gsub, 'x', 'x', { x = s }))
    assert(not pcall(tonumber, s, 36))
    assert(tonumber(s) == nil)
    assert(tostring(s) == '[secret]')
  end,
}
