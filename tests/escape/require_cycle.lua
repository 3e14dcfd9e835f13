-- expect: error requires itself
return {
  plan = function(run, args)
    require 'cycle_a'
  end,
}
