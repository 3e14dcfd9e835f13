return { get = function() end, before = function() end, operations = {} }
