-- expect: error cannot be changed
return {
  plan = function(run, args)
    table.insert(_ENV, 'x')
  end,
}
