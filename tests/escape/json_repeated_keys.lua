-- expect: ok
-- clock: real
return {
  plan = function(run, args)
    local t = json.decode('{' .. ("\"a\":1,"):rep(100000) .. '"a":2}')
    assert(t.a == 2 or t.a == 1)
  end,
}
