-- expect: error no message
-- clock: real
-- The host never calls __tostring of an error: it reads fields.
return {
  plan = function(run, args)
    error(setmetatable({}, { __tostring = function() while true do end end }))
  end,
}
