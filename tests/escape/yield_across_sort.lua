-- expect: error cannot wait here
return {
  plan = function(run, args)
    table.sort({ 2, 1 }, function(a, b) test.echo{} return a < b end)
  end,
}
