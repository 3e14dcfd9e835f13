-- expect: ok
-- log: check one ok
-- log: check two failed because {"n":1}
-- log: check three ok m
-- log: check four failed
return {
  plan = function(run, args)
    assert(check("one", true) == true)
    assert(check("two", false, "because", { n = 1 }) == false)
    assert(check{ name = "three", ok = 1 == 1, message = "m" } == true)
    assert(check("four", nil) == false)
  end,
}
