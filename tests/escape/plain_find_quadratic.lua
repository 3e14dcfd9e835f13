-- expect: ok
-- clock: real
-- The search is linear: it ends at once.
return {
  plan = function(run, args)
    local hay = ("a"):rep(6000000)
    local needle = ("a"):rep(3000000) .. "b"
    assert(hay:find(needle, 1, true) == nil)
  end,
}
