-- expect: error nested too deeply
-- clock: real
return {
  plan = function(run, args)
    local t = {}
    for i = 1, 200 do t = { t } end
    log.info('x', { t = t })
  end,
}
