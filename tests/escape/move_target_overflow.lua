-- expect: error too many values
-- clock: real
return {
  plan = function(run, args)
    return table.move({ 1 }, 1, 2, math.maxinteger)
  end,
}
