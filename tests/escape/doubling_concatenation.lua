-- expect: limit MemoryLimit
return {
  plan = function(run, args)
    local s = 'x'
    while true do s = s .. s end
  end,
}
