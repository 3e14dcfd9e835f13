-- expect: ok
-- log: 620123 535763 817559
return {
  plan = function(run, args)
    log.info(math.random(1000000) .. ' ' .. math.random(1000000) .. ' ' .. math.random(1000000))
  end,
}
