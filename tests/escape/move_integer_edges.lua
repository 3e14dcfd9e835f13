-- expect: error too many values
-- clock: real
return {
  plan = function(run, args)
    return table.move({}, math.mininteger, math.maxinteger, 1)
  end,
}
