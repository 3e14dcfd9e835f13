-- expect: error nested
-- clock: real
return {
  plan = function(run, args)
    local function f() return together{ f } end
    return f()
  end,
}
