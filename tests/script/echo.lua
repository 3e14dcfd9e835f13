-- expect: ok
-- log: call 1 test.echo {"value":{"a":[1,2,"x"],"b":{"c":true}}}
-- log: ended 1 ok
-- log: result {"sum":3}
return {
  plan = function(run, args)
    local got = test.echo{ value = { a = { 1, 2, "x" }, b = { c = true } } }
    assert(got.a[3] == "x" and got.b.c == true and #got.a == 3)
    assert(args.who == "me" and run.name == "case")
    return { sum = got.a[1] + got.a[2] }
  end,
}
