-- expect: not_found UnknownPrimitive
return {
  plan = function(run, args)
    test.ecko{ value = 1 }
  end,
}
