-- expect: error it has no pages
return {
  plan = function(run, args)
    all(test.echo, {})
  end,
}
