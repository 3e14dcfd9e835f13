-- expect: error non-closable
-- clock: real
return {
  plan = function(run, args)
    local mt = {}
    local t = setmetatable({}, mt)
    mt.__close = function() while true do end end
    local x <close> = t
  end,
}
