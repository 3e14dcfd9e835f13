-- expect: limit TimeLimit
-- clock: real
return {
  plan = function(run, args)
    local t = setmetatable({}, { __index = function(_, k) return k end })
    for i, v in ipairs(t) do end
  end,
}
