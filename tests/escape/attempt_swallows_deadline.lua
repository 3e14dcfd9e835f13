-- expect: limit TimeLimit
-- clock: real
return {
  plan = function(run, args)
    local function spin() while true do end end
    while true do attempt(spin) end
  end,
}
