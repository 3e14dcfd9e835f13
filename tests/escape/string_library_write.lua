-- expect: error read-only
return {
  plan = function(run, args)
    string.rep = function() return 'mine' end
  end,
}
