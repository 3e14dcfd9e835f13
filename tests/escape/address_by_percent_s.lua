-- expect: ok
return {
  plan = function(run, args)
    assert(string.format('%s', {}):match('^table: %d$'))
    assert(string.format('%s', print):match('^function: %d$'))
    assert(string.format('%10s|', print):match('function: %d|$'))
  end,
}
