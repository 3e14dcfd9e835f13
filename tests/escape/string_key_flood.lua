-- expect: limit MemoryLimit
return {
  plan = function(run, args)
    local t, i = {}, 0
    while true do i = i + 1 t['key' .. i] = true end
  end,
}
