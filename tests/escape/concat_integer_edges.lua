-- expect: error too many values
-- clock: real
return {
  plan = function(run, args)
    return table.concat({}, '', math.mininteger, math.maxinteger)
  end,
}
