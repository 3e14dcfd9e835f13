-- expect: error they have no order
return {
  plan = function(run, args)
    for k in pairs({ [{}] = 1, [{}] = 2 }) do end
  end,
}
