-- expect: error must return a string
-- clock: real
return {
  plan = function(run, args)
    print(setmetatable({}, { __tostring = function() return {} end }))
  end,
}
