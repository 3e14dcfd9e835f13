-- expect: error value.f is a function, not data
return {
  plan = function(run, args)
    test.echo{ value = { f = print } }
  end,
}
