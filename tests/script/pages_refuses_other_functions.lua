-- expect: error takes a primitive
return {
  plan = function(run, args)
    for p in pages(print) do end
  end,
}
