-- expect: ok
return {
  plan = function(run, args)
    assert(test.instead() == 'made up')
  end,
}
