-- expect: ok
-- log: call 1 test.secret
-- log: info [secret] {"s":"[secret]"}
return {
  plan = function(run, args)
    local s = test.secret()
    assert(s == test.secret() and s ~= "hunter2" and tostring(s) == "[secret]")
    assert(reveal(s) == "hunter2" and reveal("x") == "x")
    assert(reveal("a" .. s .. "b" .. 1) == "ahunter2b1")
    assert(test.inspect{ value = s } == 'string secret "hunter2"')
    assert(test.inspect{ value = "p:" .. s } == 'string secret "p:hunter2"')
    assert(test.inspect{ value = string.format("%s!", s) } == 'string secret "hunter2!"')
    local j = json.encode({ password = s })
    assert(tostring(j) == "[secret]" and reveal(j) == '{"password":"hunter2"}')
    assert(tostring(json.decode(j).password) == "[secret]")
    log.info("it is " .. s, { s = s })
  end,
}
