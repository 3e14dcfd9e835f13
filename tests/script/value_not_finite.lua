-- expect: error value is not a finite number
return {
  plan = function(run, args)
    test.echo{ value = 0/0 }
  end,
}
