-- expect: error tasks at once
-- clock: real
return {
  plan = function(run, args)
    local fs = {}
    for i = 1, 20000 do fs[i] = function() sleep(1) end end
    together(fs)
  end,
}
