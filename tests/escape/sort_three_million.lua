-- expect: limit MemoryLimit
return {
  plan = function(run, args)
    local t = {}
    for i = 1, 3000000 do t[i] = (i * 7919) % 3000017 end
    table.sort(t)
  end,
}
