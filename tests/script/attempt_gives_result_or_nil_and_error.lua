-- expect: ok
return {
  plan = function(run, args)
    local a, b = attempt(function(x, y) sleep(1) return x, y end, 1, 2)
    assert(a == 1 and b == 2)
    local result, err = attempt(test.fail)
    assert(result == nil and err.code == "AccessDenied" and err.kind == "denied" and err.status == 403)
    assert(err.operation == "test.fail" and err.next == "ask for it" and err.retryable == true)
    assert(err.where == "attempt_gives_result_or_nil_and_error.lua:6", err.where)
    assert(tostring(err) == "test.fail: AccessDenied: you may not")
    local _, e = attempt(error, "plain")
    assert(e.message == "plain" and e.kind == "script")
    _, e = attempt(function() local x = nil; return x.y end)
    assert(e.where == "attempt_gives_result_or_nil_and_error.lua:13" and e.message:find("index a nil"), e.where)
    _, e = attempt(error, { code = "Mine", message = "m", extra = 5 })
    assert(e.code == "Mine" and e.extra == 5)
    _, e = attempt(error)
    assert(e.message:find("error%(%) was called with a nil"))
  end,
}
