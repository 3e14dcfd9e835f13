-- expect: script Deep
return {
  plan = function(run, args)
    together{
      function() together{ function() sleep(1) error{ code = "Deep", message = "m" } end, function() sleep(1000) end } end,
      function() sleep(2000) log.info("never") end,
    }
  end,
}
