-- expect: script NotAvailable
return {
  plan = function(run, args)
    os.time = function() return 0 end
  end,
}
