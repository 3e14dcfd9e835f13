-- expect: limit TimeLimit
-- clock: real
while true do end
return { plan = function() end }
