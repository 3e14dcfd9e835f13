-- expect: error read-only
return {
  plan = function(run, args)
    run.args.list[1] = 9
  end,
}
