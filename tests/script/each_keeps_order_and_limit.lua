-- expect: ok
return {
  plan = function(run, args)
    local running, most = 0, 0
    local r = each({ 5, 4, 3, 2, 1 }, function(v, i)
      running = running + 1
      if running > most then most = running end
      sleep(v)
      running = running - 1
      return v * 10 + i
    end, { limit = 2 })
    assert(table.concat(r, " ") == "51 42 33 24 15")
    assert(most == 2, most)
    assert(#each({}, print) == 0)
    assert(each(run.args.list, function(v) return v + 1 end)[3] == 4)
  end,
}
