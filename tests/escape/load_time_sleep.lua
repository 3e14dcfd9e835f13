-- expect: error while the file is loaded
sleep(1)
return { plan = function() end }
