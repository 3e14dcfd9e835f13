-- expect: script GlobalAssignment
return {
  plan = function(run, args)
    pairs = function() end
  end,
}
