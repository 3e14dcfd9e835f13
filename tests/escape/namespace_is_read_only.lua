-- expect: error read-only
return {
  plan = function(run, args)
    test.echo = function() end
  end,
}
