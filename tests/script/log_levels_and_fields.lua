-- expect: ok
-- log: debug d
-- log: info i {"a":[1,2]}
-- log: warn w
-- log: error e
-- log: info p	1	nil	true
return {
  plan = function(run, args)
    log.debug('d')
    log.info('i', { a = { 1, 2 } })
    log.warn('w')
    log.error('e')
    print('p', 1, nil, true)
  end,
}
