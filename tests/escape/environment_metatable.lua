-- expect: error protected
return {
  plan = function(run, args)
    setmetatable(_ENV, {})
  end,
}
