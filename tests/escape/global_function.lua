-- expect: script GlobalAssignment
return {
  plan = function(run, args)
    function leaked() end
  end,
}
