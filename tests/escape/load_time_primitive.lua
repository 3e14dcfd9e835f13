-- expect: error while the file is loaded
local x = test.echo{ value = 1 }
return { plan = function() end }
