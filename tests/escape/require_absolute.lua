-- expect: error a module's name
return {
  plan = function(run, args)
    require "/etc/passwd"
  end,
}
