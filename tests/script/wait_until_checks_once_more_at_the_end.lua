-- expect: ok
return {
  plan = function(run, args)
    local start = now()
    assert(wait_until{ check = function() return now() - start >= 10 end, every = 7, timeout = 10 })
  end,
}
