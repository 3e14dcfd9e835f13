-- expect: script SyntaxError
return {
  plan = function(run, args)
    require 'bytecode'
  end,
}
