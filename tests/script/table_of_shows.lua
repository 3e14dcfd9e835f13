-- expect: ok
-- log: table ["a","b"] [[1,2],[3,4]]
-- log: progress half {"done":1}
return {
  plan = function(run, args)
    table_of({ 'a', 'b' }, { { 1, 2 }, { 3, 4 } })
    progress('half', { done = 1 })
  end,
}
