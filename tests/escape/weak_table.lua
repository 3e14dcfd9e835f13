-- expect: error __mode
return {
  plan = function(run, args)
    setmetatable({}, { __mode = 'k' })
  end,
}
