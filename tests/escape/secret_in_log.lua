-- expect: ok
return {
  plan = function(run, args)
    log.info(test.secret(), { s = test.secret() })
    log.info('x' .. test.secret())
    log.info(string.format('%s', test.secret()))
    print(test.secret())
    check('x' , false, 'got ' .. test.secret(), { test.secret() })
  end,
}
