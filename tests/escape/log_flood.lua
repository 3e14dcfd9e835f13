-- expect: ok
return {
  plan = function(run, args)
    for i = 1, 200000 do log.info('line') end
  end,
}
