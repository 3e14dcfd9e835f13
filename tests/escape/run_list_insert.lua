-- expect: error cannot be changed
return {
  plan = function(run, args)
    table.insert(run.args.list, 9)
  end,
}
