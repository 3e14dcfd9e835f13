-- expect: error limit of each
return {
  plan = function(run, args)
    each({ 1 }, print, { limit = 0 })
  end,
}
