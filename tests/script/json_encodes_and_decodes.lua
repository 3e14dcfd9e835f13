-- expect: ok
return {
  plan = function(run, args)
    assert(json.encode({ a = { 1, 2 }, b = "x" }) == '{"a":[1,2],"b":"x"}')
    assert(json.decode('{"a":{"b":[1,2.5,"\\u00e9"]}}').a.b[3] == "é")
    assert(json.encode(nil) == "null" and json.encode(null) == "null" and json.decode("null") == nil)
    assert(json.encode({ a = 1 }, 2):find("\n  \"a\""))
    assert(not pcall(json.decode, "{") and not pcall(json.decode, 5) and not pcall(json.encode, print))
  end,
}
