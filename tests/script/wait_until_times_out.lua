-- expect: timeout Timeout
return {
  plan = function(run, args)
    wait_until{ check = function() return false end, every = 5, timeout = '20s', what = 'nothing' }
  end,
}
