-- expect: error read-only
return {
  plan = function(run, args)
    local env = _ENV
    env.string.rep = nil
  end,
}
