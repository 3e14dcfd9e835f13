-- expect: error no %p
return {
  plan = function(run, args)
    return string.format('%p', {})
  end,
}
