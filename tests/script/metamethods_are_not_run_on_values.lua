-- expect: ok
return {
  plan = function(run, args)
    local t = setmetatable({ a = 1 }, { __index = function() error("ran") end, __len = function() error("ran") end })
    assert(test.inspect{ value = t } == 'map {"a":1}')
  end,
}
