-- expect: script GlobalAssignment
return {
  plan = function(run, args)
    require 'greedy'
  end,
}
