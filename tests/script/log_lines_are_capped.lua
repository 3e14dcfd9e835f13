-- expect: ok
-- log: info line 9999
-- log: warn the run has logged 10,000 lines
return {
  plan = function(run, args)
    for i = 1, 20000 do log.info('line ' .. i) end
  end,
}
