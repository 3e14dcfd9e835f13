-- expect: denied AccessDenied
return {
  plan = function(run, args)
    test.fail{}
  end,
}
