-- expect: limit TimeLimit
-- clock: real
return {
  plan = function(run, args)
    local s = ("ab "):rep(2000000)
    while true do s:gsub("%f[%w%s%p]", "") end
  end,
}
