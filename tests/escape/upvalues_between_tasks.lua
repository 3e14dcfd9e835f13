-- expect: ok
-- Tasks share upvalues; they change hands only where they wait.
return {
  plan = function(run, args)
    local seen = {}
    together{
      function() seen[#seen + 1] = 'a1' sleep(2) seen[#seen + 1] = 'a2' end,
      function() seen[#seen + 1] = 'b1' sleep(1) seen[#seen + 1] = 'b2' end,
    }
    assert(table.concat(seen, ' ') == 'a1 b1 b2 a2')
  end,
}
