-- expect: error takes one table of named arguments
return {
  plan = function(run, args)
    test.echo('x')
  end,
}
