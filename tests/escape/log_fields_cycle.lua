-- expect: error contains itself
-- clock: real
return {
  plan = function(run, args)
    local t = {}
    t.t = t
    log.info('x', t)
  end,
}
