-- expect: error while the file is loaded
return {
  plan = function(run, args)
    require 'calling'
  end,
}
