-- expect: cancelled Cancelled
-- clock: real
-- A sleep of 30 years ends when the run is stopped.
return {
  plan = function(run, args)
    together{ function() sleep(1e9) end, function() sleep(0.01) test.stop() end }
  end,
}
