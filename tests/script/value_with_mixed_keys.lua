-- expect: error both numbers and names
return {
  plan = function(run, args)
    test.echo{ value = { 1, a = 2 } }
  end,
}
