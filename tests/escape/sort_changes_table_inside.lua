-- expect: ok
-- clock: real
return {
  plan = function(run, args)
    local t = {}
    for i = 1, 500 do t[i] = i end
    pcall(table.sort, t, function(a, b) t[#t] = nil return (a or 0) < (b or 0) end)
  end,
}
