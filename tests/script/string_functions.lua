-- expect: ok
return {
  plan = function(run, args)
    assert(("hello"):find("l") == 3 and ("hello"):find("l", 4) == 4 and ("hello"):find("xyz") == nil)
    assert(("a.b"):find(".", 1, true) == 2 and ("abc"):find("", 10) == nil and ("abc"):find("", 4) == 4)
    assert(("abc"):find("b", -2) == 2 and ("abc"):find("a", -1) == nil and ("abc"):find("", -10) == 1)
    assert(("key = value"):match("^(%w+)%s*=%s*(%w+)$") == "key")
    assert(select(2, ("key = value"):match("^(%w+)%s*=%s*(%w+)$")) == "value")
    assert(("2026-11-23"):gsub("(%d+)-(%d+)-(%d+)", "%3/%2/%1") == "23/11/2026")
    assert(("hello world"):gsub("o", "0", 1) == "hell0 world")
    assert(("abc"):gsub("", "-") == "-a-b-c-")
    assert(("abc"):gsub("%w", { a = "1", b = true and "2" }) == "12c")
    assert(("abc"):gsub("%w", function(c) if c == "b" then return "B" end end) == "aBc")
    assert(("abc"):gsub("b", "%%") == "a%c" and ("abc"):gsub("(b)()", "%2") == "a3c")
    local out = {}
    for k, v in ("a=1, b=2"):gmatch("(%w+)=(%w+)") do out[#out + 1] = k .. v end
    assert(table.concat(out) == "a1b2")
    out = {}
    for w in ("one two"):gmatch("%a*") do out[#out + 1] = "<" .. w .. ">" end
    assert(table.concat(out) == "<one><two>", table.concat(out))
    assert(("f(a(b)c)d"):match("%b()") == "(a(b)c)" and ("THE (quick) fox"):find("%f[%a]%a+%f[%A]") == 1)
    assert(("x]y"):match("[]]") == "]" and ("a-b"):match("[a%-]+") == "a-" and ("ab^"):match("[%^b]+") == "b^")
    assert(("abc"):match("[^b]+$") == "c" and ("aXb"):match("%u") == "X" and ("a1"):match("%D%d") == "a1")
    assert(("\0x"):match("%z?") ~= nil and ("a\0b"):find("\0", 1, true) == 2 and ("x"):match("()x()") == 1)
    assert(("aaa"):match("a-$") == "aaa" and ("aaab"):match("a-b") == "aaab" and ("ab"):match("a?b?c?") == "ab")
    assert(("abab"):match("^(ab)%1$") == "ab" and ("abc"):match("$") == "" and ("a$c"):match("a$c") == "a$c")
    for _, bad in ipairs({ "%", "[a", "(a", "a)", "%1", "%b", "%f", "(", "[%" }) do
      assert(not pcall(string.match, "aaa", bad), bad)
    end
    assert(("x"):rep(3) == "xxx" and ("x"):rep(3, "-") == "x-x-x" and ("x"):rep(0) == "" and ("x"):rep(1, "-") == "x" and ("ab"):rep(5, ".") == "ab.ab.ab.ab.ab")
    assert(string.format("%5.2f|%d|%s|%q|%x|%%", 1.234, 5, "s", "q", 255) == ' 1.23|5|s|"q"|ff|%')
    assert(string.format("%s %s", nil, true) == "nil true" and string.format("%-5s|", "a") == "a    |")
    assert(("abc"):sub(2, -1) == "bc" and ("abc"):upper() == "ABC" and ("abc"):len() == 3 and ("ab"):byte(2) == 98)
    assert(string.char(97, 98) == "ab" and ("abc"):reverse() == "cba" and utf8.len("é") == 1 and utf8.char(233) == "é")
  end,
}
