--- Filter patterns: which messages fit, and what is refused with which text.

local t = dofile "tests/sim/harness.lua"
local pattern = require "sim.logs.pattern"
local regex = require "sim.logs.regex"

local function fits(text, message)
  local parsed, problem = pattern.parse(text)
  if not parsed then
    error(("%s: %s"):format(text, problem), 2)
  end
  return pattern.matches(parsed, message)
end

local function table_test(name, cases)
  t.test(name, function()
    for _, case in ipairs(cases) do
      t.equal(fits(case[1], case[2]), case[3], ("%s on %s"):format(case[1], case[2]))
    end
  end)
end

table_test("terms must all occur, in any order and anywhere", {
  { "", "anything", true },
  { "  ", "anything", true },
  { "ERROR", "[ERROR 400] BAD", true },
  { "ERROR", "error", false },
  { "ERROR Exception", "Exception then ERROR", true },
  { "ERROR Exception", "ERROR only", false },
  { '"INTERNAL SERVER"', "an INTERNAL SERVER ERROR", true },
  { '"INTERNAL SERVER"', "INTERNAL  SERVER", false },
  { '"say \\"hi\\""', 'they say "hi" there', true },
  { '"/api/healthz"', "GET /api/healthz 200", true },
  { '"requestId=abc123"', "x requestId=abc123 y", true },
  { "größe", "die größe", true },
})

table_test("optional terms need one, refused terms none", {
  { "?ERROR ?WARN", "a WARN here", true },
  { "?ERROR ?WARN", "an INFO here", false },
  { '?"a b" ?c', "x a b", true },
  { "ERROR -EXITING", "ERROR and on", true },
  { "ERROR -EXITING", "ERROR, EXITING", false },
  { '-"GET /health"', "GET /health", false },
  { '-"GET /health"', "GET /other", true },
})

table_test("regular expressions stand between percent signs", {
  { "%5[0-9][0-9]%", "status 503", true },
  { "%5[0-9][0-9]%", "status 404", false },
  { "%^ERR%", "ERROR", true },
  { "%^ERR%", "an ERROR", false },
  { "%[Ee]rror|[Ff]ail% api", "Fail in api", true },
  { "-%timeout%", "a timeout", false },
  { "%\\d{1,3}\\.\\d{1,3}%", "10.20", true },
})

table_test("JSON conditions compare fields", {
  { '{ $.level = "error" }', '{"level":"error"}', true },
  { '{ $.level = "error" }', '{"level":"info"}', false },
  { '{ $.level = "error" }', "level=error", false },
  { "{ $.level = error }", '{"level":"error"}', true },
  { '{$.level="err*"}', '{"level":"error"}', true },
  { '{ $.level = "*rr*" }', '{"level":"error"}', true },
  { '{ $.level != "error" }', '{"level":"info"}', true },
  { '{ $.level != "error" }', '{"other":1}', false },
  { "{ $.latency > 100 }", '{"latency":101.5}', true },
  { "{ $.latency >= 1e3 }", '{"latency":1000}', true },
  { "{ $.latency < -1 }", '{"latency":-2}', true },
  { "{ $.status = 404 }", '{"status":404}', true },
  { "{ $.status = 4* }", '{"status":"404"}', true },
  { "{ $.ip = 10.0.* }", '{"ip":"10.0.7.1"}', true },
  { '{ $.a.b[1].c = "x" }', '{"a":{"b":[{},{"c":"x"}]}}', true },
  { "{ $['a b'] = 1 }", '{"a b":1}', true },
  { "{ $.error IS NULL }", '{"error":null}', true },
  { "{ $.error IS NULL }", "{}", false },
  { "{ $.error NOT EXISTS }", '{"other":1}', true },
  { "{ $.error NOT EXISTS }", '{"error":null}', false },
  { "{ $.ok IS TRUE }", '{"ok":true}', true },
  { "{ $.ok is false }", '{"ok":false}', true },
  { "{ $.ok IS FALSE }", '{"ok":true}', false },
  { '{ $.m = %5\\d\\d% }', '{"m":"got 503"}', true },
})

table_test("JSON conditions are joined, && before ||", {
  { "{ $.a = 1 && $.b = 2 }", '{"a":1,"b":2}', true },
  { "{ $.a = 1 && $.b = 2 }", '{"a":1,"b":3}', false },
  { "{ $.a = 1 || $.b = 2 && $.c = 3 }", '{"a":1}', true },
  { "{ ($.a = 1 || $.b = 2) && $.c = 3 }", '{"a":1}', false },
  { "{ ($.a = 1 || $.b = 2) && ($.c = 3) }", '{"b":2,"c":3}', true },
})

local line = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'

table_test("fields between spaces are counted and compared", {
  { "[ip, id, user, time, request, status, bytes]", line, true },
  { "[ip, id, user, time, request, status]", line, false },
  { "[ip, user, ..., status = 4*, bytes > 1000]", line, true },
  { "[ip, user, ..., status = 5*, bytes]", line, false },
  { "[..., status = 404 || status = 410, bytes]", line, true },
  { "[..., bytes > 1000 && bytes < 1500]", line, false },
  { '[ip, id, user, time, request = "*html*", ...]', line, true },
  { "[ip = %127\\.0\\.0\\.[1-9]%, ...]", line, true },
  { "[ip != 127.0.0.1, ...]", line, false },
  { "[...]", "anything at all", true },
  { "[w1=ERROR, w2]", "ERROR now", true },
})

t.test("characters that want quotes are named", function()
  for text, shown in pairs {
    ["a:b"] = ":", ["a,b"] = ",", ["user@host"] = "@", ["a[b"] = "[", ["a\\b"] = "\\", ["`a"] = "`",
    ["/api/healthz"] = "/", ["requestId=abc"] = "=", ['{ $.n >= "x" }'] = '"x"', ["{ $.n < abc }"] = "abc",
  } do
    local parsed, problem = pattern.parse(text)
    t.equal({ parsed == nil, problem }, { true, ("Invalid character(s) in term '%s'"):format(shown) }, text)
  end
end)

t.test("patterns that are not whole are refused", function()
  for _, text in ipairs {
    "{ $.a = 1", "{ $.a }", "{ a = 1 }", "{ $ = 1 }", "{ $.a = 1 } x", "{ ($.a = 1 }", "{ $.a IS MAYBE }", "[a, b",
    "[a,, b]", "[..., ...]", '"open', "{ $.a = }", "%(a)%", "%a!b%", "%[a%", "%a% %b% %c%", "?", "-", "{}",
    "{ " .. ("("):rep(100) .. "$.a = 1" .. (")"):rep(100) .. " }",
  } do
    local parsed, problem = pattern.parse(text)
    t.equal(parsed == nil and type(problem), "string", text)
  end
end)

t.test("a metric takes its number from the message", function()
  local fields = pattern.parse "[ip, ..., bytes > 1000]"
  t.equal(pattern.number(fields, line, "$bytes"), 1534)
  t.equal(pattern.extract(fields, line), { ["$ip"] = "127.0.0.1", ["$bytes"] = "1534" })
  local document = pattern.parse "{ $.latency > 1 }"
  t.equal(pattern.number(document, '{"latency":2.5}', "$.latency"), 2.5)
  t.equal(pattern.number(document, '{"latency":2.5}', "1"), 1)
  t.equal(pattern.number(document, '{"latency":2.5}', "$.other"), nil)
end)

-- ---- the regular expressions themselves ----------------------------------------------------------

t.test("expressions fit as they do elsewhere", function()
  for _, case in ipairs {
    { "abc", "xabcx", true }, { "^abc$", "abc", true }, { "^abc$", "abcd", false }, { "a{2,3}b", "aab", true },
    { "a{2,3}b", "ab", false }, { "a{3}$", "aaa", true }, { "a{3}$", "aab", false }, { "[^0-9]", "55", false },
    { "a|bc|d$", "xbc", true }, { "(a|b)*c", "ababc", true }, { "(?i)ErR", "xerr", true }, { "\\bfoo\\b", "a foo b", true },
    { "\\bfoo\\b", "afoo b", false }, { "x*", "", true }, { "[]a]", "]", true }, { "[a-]", "-", true }, { "é+$", "éé", true },
    { "a.c", "a\nc", false }, { "a??b", "b", true }, { "\\w+@\\w+\\.com", "me@ex.com", true }, { "{", "a{b", true },
  } do
    local program, problem = regex.compile(case[1], true)
    t.truthy(program, case[1] .. ": " .. tostring(problem))
    t.equal(regex.find(program, case[2]), case[3], case[1] .. " on " .. case[2])
  end
end)

t.test("an expression that others take ages for ends at once", function()
  local program = regex.compile("(a*)*b", true)
  t.equal(regex.find(program, ("a"):rep(5000)), false)
  t.equal(regex.compile("(a{1000}){1000}", true), nil)
  t.equal(regex.compile(("("):rep(1000) .. "a" .. (")"):rep(1000), true), nil)
end)

t.finish()
