-- expect: limit MemoryLimit
-- clock: real
return {
  plan = function(run, args)
    local function f() return 1 + f() end
    local fs = {}
    for i = 1, 50 do fs[i] = f end
    together(fs)
  end,
}
