-- expect: error no %p
return {
  plan = function(run, args)
    return string.format('%-20p', {})
  end,
}
