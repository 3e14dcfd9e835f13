-- expect: error has no option 'intervall'
return {
  plan = function(run, args)
    wait_until{ check = print, intervall = 5 }
  end,
}
