-- expect: ok
-- clock: real
return {
  plan = function(run, args)
    log.info(("x"):rep(16000000))
  end,
}
