-- expect: limit TimeLimit
-- clock: real
return {
  plan = function(run, args)
    local s = ("("):rep(2000000)
    for i = 1, 1000000 do s:gsub("%b()", "") end
  end,
}
