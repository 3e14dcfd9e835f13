-- expect: error cannot wait here
return {
  plan = function(run, args)
    print(setmetatable({}, { __tostring = function() sleep(1) return 'x' end }))
  end,
}
