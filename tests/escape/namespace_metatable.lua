-- expect: error protected
return {
  plan = function(run, args)
    setmetatable(test, {})
  end,
}
