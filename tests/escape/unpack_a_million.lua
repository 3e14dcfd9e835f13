-- expect: error too many values
-- clock: real
return {
  plan = function(run, args)
    local t = {}
    for i = 1, 1000000 do t[i] = i end
    return select('#', table.unpack(t))
  end,
}
