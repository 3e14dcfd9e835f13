-- expect: ok
-- clock: real
return {
  plan = function(run, args)
    local s = tostring(setmetatable({}, { __name = {} }))
    assert(s:match('^table: %d+$'))
  end,
}
