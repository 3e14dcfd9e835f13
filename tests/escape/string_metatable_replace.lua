-- expect: error table expected
return {
  plan = function(run, args)
    setmetatable('', {})
  end,
}
