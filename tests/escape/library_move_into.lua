-- expect: error cannot be changed
return {
  plan = function(run, args)
    table.move({ 1 }, 1, 1, 1, string)
  end,
}
