-- expect: error overflow
-- clock: real
return {
  plan = function(run, args)
    local function f(s) return (s:gsub('.', f)) end
    return f('x')
  end,
}
