-- expect: error value[2] is missing
return {
  plan = function(run, args)
    test.echo{ value = { 1, nil, 3 } }
  end,
}
