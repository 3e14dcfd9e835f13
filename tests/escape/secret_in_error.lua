-- expect: error instead of a message
return {
  plan = function(run, args)
    error(test.secret())
  end,
}
