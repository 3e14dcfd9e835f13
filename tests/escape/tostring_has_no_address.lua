-- expect: ok
return {
  plan = function(run, args)
    local a, b = {}, {}
    assert(tostring(a) == 'table: 1' and tostring(b) == 'table: 2' and tostring(a) == 'table: 1')
    assert(tostring(print) == 'function: 3')
  end,
}
