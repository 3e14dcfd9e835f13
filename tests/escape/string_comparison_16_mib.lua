-- expect: limit TimeLimit
-- clock: real
return {
  plan = function(run, args)
    local a = ("a"):rep(16000000) .. 'x'
    local b = ("a"):rep(16000000) .. 'y'
    local n = 0
    while true do if a < b then n = n + 1 end end
  end,
}
