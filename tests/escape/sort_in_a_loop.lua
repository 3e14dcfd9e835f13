-- expect: limit TimeLimit
-- clock: real
return {
  plan = function(run, args)
    local t = {}
    for i = 1, 100000 do t[i] = (i * 7919) % 100003 end
    while true do pcall(table.sort, t) end
  end,
}
