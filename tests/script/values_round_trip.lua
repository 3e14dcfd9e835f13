-- expect: ok
return {
  plan = function(run, args)
    local function kind(v) return test.inspect{ value = v } end
    assert(kind(5) == "integer 5")
    assert(kind(math.maxinteger) == "integer 9223372036854775807")
    assert(kind(1.5) == "number 1.5")
    assert(kind(true) == "boolean true")
    assert(kind("x") == 'string "x"')
    assert(kind("\xff"):find("^blob"))
    assert(kind({ 1, 2 }) == "list [1,2]")
    assert(kind({ b = 1, a = 2 }) == 'map {"a":2,"b":1}')
    assert(kind({}) == "map {}")
    assert(kind(json.decode("[]")) == "list []")
    assert(kind({ null, 1 }) == "list [null,1]")
    assert(kind(run.args.list) == "list [1,2,3]")
    local n = test.nulls()
    assert(n.list[2] == null and #n.list == 3 and n.gone == nil and n.big == 9007199254740993 and n.half == 0.5)
    assert(kind(n.empty) == "list []" and kind(n.none) == "map {}")
    assert(tostring(null) == "null" and math.type(n.big) == "integer")
    n.empty[1] = "x"
    assert(kind(n.empty) == 'list ["x"]')
  end,
}
