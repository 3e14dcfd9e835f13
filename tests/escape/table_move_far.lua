-- expect: limit TimeLimit
-- clock: real
return {
  plan = function(run, args)
    table.move({}, 1, 2^40 // 1 | 0, 2)
  end,
}
