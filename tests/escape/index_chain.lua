-- expect: error __index
-- clock: real
return {
  plan = function(run, args)
    local t = {}
    for i = 1, 3000 do t = setmetatable({}, { __index = t }) end
    return t.x
  end,
}
