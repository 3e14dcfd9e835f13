-- expect: script NotAvailable
-- clock: real
return {
  plan = function(run, args)
    local co = coroutine.wrap(function() while true do end end)
    co()
  end,
}
