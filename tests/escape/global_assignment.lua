-- expect: script GlobalAssignment
return {
  plan = function(run, args)
    leaked = 1
  end,
}
