-- expect: error contains itself
-- clock: real
return {
  plan = function(run, args)
    local t = {}
    t.self = t
    return t
  end,
}
