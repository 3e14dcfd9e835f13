-- expect: ok
return {
  plan = function(run, args)
    assert(getmetatable(_ENV) == false)
    assert(getmetatable(string) == false)
    assert(getmetatable('') == false)
    assert(getmetatable(run) == false)
    assert(getmetatable(test) == false)
    assert(getmetatable(null) == false)
    local _, e = attempt(error, 'x')
    assert(getmetatable(e) == false)
    assert(getmetatable(test.secret()) == false)
  end,
}
