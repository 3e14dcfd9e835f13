-- expect: error cannot be changed
return {
  plan = function(run, args)
    table.insert(string, 'x')
  end,
}
