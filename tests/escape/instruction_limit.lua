-- expect: limit InstructionLimit
-- Under virtual time only the count of instructions ends a loop.
return {
  plan = function(run, args)
    while true do pcall(function() for i = 1, 1000 do end end) end
  end,
}
