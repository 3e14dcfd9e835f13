-- expect: error contains itself
-- clock: real
return {
  plan = function(run, args)
    local t = {}
    t[1] = { t }
    test.echo{ value = t }
  end,
}
