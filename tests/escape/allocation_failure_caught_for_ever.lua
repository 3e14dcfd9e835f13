-- expect: limit TimeLimit
-- clock: real
return {
  plan = function(run, args)
    while true do
      pcall(function()
        local s = 'x'
        while true do s = s .. s end
      end)
    end
  end,
}
