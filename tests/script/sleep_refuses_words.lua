-- expect: error must be seconds
return {
  plan = function(run, args)
    sleep('soon')
  end,
}
