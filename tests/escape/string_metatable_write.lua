-- expect: error attempt to index a boolean
return {
  plan = function(run, args)
    getmetatable('').__index = function() return 1 end
  end,
}
