-- expect: error did you mean test?
return {
  plan = function(run, args)
    tset.echo{}
  end,
}
