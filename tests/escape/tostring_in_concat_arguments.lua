-- expect: error attempt to concatenate
-- clock: real
return {
  plan = function(run, args)
    return "a" .. setmetatable({}, { __tostring = function() return 'x' end })
  end,
}
