-- expect: error broken
-- clock: real
return {
  plan = function(run, args)
    print(setmetatable({}, { __tostring = function() error('broken') end }))
  end,
}
