-- expect: error read-only
return {
  plan = function(run, args)
    run.name = 'other'
  end,
}
