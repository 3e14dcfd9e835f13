-- expect: error neither a name nor a number
return {
  plan = function(run, args)
    test.echo{ value = { [true] = 1 } }
  end,
}
