-- expect: error at most
return {
  plan = function(run, args)
    for i = 1, 20000 do check('x', true) end
  end,
}
