-- expect: ok
return {
  plan = function(run, args)
    local t = now()
    sleep('1m')
    sleep(0)
    sleep('500ms')
    assert(now() - t == 60.5)
  end,
}
