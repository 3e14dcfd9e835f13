-- expect: limit MemoryLimit
return {
  plan = function(run, args)
    local t = {}
    while true do t[#t + 1] = { #t } end
  end,
}
