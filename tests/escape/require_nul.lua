-- expect: error a module's name
return {
  plan = function(run, args)
    require "a\0b"
  end,
}
