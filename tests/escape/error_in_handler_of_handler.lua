-- expect: error inner
-- clock: real
return {
  plan = function(run, args)
    local function fail() error('inner') end
    xpcall(function() error('outer') end, function() xpcall(fail, fail) end)
  end,
}
