-- expect: not_found NoModule
return {
  plan = function(run, args)
    require 'debug'
  end,
}
