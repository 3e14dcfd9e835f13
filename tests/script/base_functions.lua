-- expect: ok
return {
  plan = function(run, args)
    assert(tonumber("10") == 10 and tonumber("0x10") == 16 and tonumber(" 5 ") == 5 and tonumber("1e2") == 100.0)
    assert(tonumber("z", 36) == 35 and tonumber("-ff", 16) == -255 and tonumber("8", 8) == nil and tonumber("") == nil)
    assert(tonumber("5x") == nil and tonumber({}) == nil and tonumber("1\0") == nil)
    assert(select("#", 1, nil, 3) == 3 and select(2, "a", "b") == "b" and select(-1, 1, 2) == 2)
    assert(type(nil) == "nil" and type(print) == "function" and rawequal("a", "a") and rawlen({ 1, 2 }) == 2)
    assert(rawget(setmetatable({}, { __index = print }), "x") == nil)
    assert(tostring(1.5) == "1.5" and tostring(2^53) == "9.007199254741e+15" and tostring(nil) == "nil")
    local C = {}
    C.__index = C
    function C.new(x) return setmetatable({ x = x }, C) end
    function C:get() return self.x end
    C.__eq = function(a, b) return a.x == b.x end
    C.__add = function(a, b) return C.new(a.x + b.x) end
    C.__call = function(self, y) return self.x * y end
    C.__len = function() return 42 end
    C.__lt = function(a, b) return a.x < b.x end
    C.__concat = function() return "joined" end
    C.__tostring = function(self) return "C" .. self.x end
    local a = C.new(3)
    assert(a:get() == 3 and a == C.new(3) and (a + a):get() == 6 and a(4) == 12 and #a == 42 and a < C.new(4))
    assert(a .. "x" == "joined" and tostring(a) == "C3" and getmetatable(a) == C)
    assert(getmetatable(setmetatable({}, { __metatable = "locked" })) == "locked")
    assert(not pcall(setmetatable, setmetatable({}, { __metatable = 1 }), {}))
    local ok, e = pcall(assert, false, "said") assert(e == "said")
    ok, e = pcall(assert, nil) assert(tostring(e):find("assertion failed"))
    assert(select("#", assert(1, 2, 3)) == 3)
  end,
}
