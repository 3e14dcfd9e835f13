-- expect: ok
return {
  plan = function(run, args)
    local s = test.secret()
    assert(tostring(setmetatable({}, { __tostring = function() return s end })) == '[secret]')
  end,
}
