-- expect: limit MemoryLimit
return {
  plan = function(run, args)
    local function f() return 1 + f() end
    return f()
  end,
}
