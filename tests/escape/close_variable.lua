-- expect: error __close
-- clock: real
return {
  plan = function(run, args)
    local x <close> = setmetatable({}, { __close = function() while true do end end })
  end,
}
