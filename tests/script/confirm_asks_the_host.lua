-- expect: ok
-- log: confirm yes?
-- log: confirm no?
return {
  plan = function(run, args)
    assert(confirm('yes?') == true)
    assert(confirm('no?') == false)
  end,
}
