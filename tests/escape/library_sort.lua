-- expect: error cannot be changed
return {
  plan = function(run, args)
    table.sort(string)
  end,
}
