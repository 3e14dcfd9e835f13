-- expect: error cannot wait here
return {
  plan = function(run, args)
    return (("x"):gsub('.', function() test.wait{ seconds = 1 } end))
  end,
}
