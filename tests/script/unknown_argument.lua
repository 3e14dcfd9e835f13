-- expect: usage UnknownArgument
return {
  plan = function(run, args)
    test.echo{ vale = 1 }
  end,
}
