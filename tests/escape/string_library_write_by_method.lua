-- expect: error attempt to index a string
return {
  plan = function(run, args)
    local s = 'x'
    s.rep = 1
  end,
}
