-- expect: error check takes a name
return {
  plan = function(run, args)
    check('x')
  end,
}
