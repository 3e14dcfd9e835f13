-- expect: limit InstructionLimit
return {
  plan = function(run, args)
    local s = ("a"):rep(60000)
    return s:gsub("a*a*b", "")
  end,
}
