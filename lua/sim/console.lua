--- The commands of the control interface: those of sim.control, and `step`. A scenario
-- file sees each as a function of its arguments alone, and the world itself.

local console = { commands = {} }

--- step{}: to the next thing that happens.
function console.commands.step(world)
  world:advance_to(world:next_event() or world:now())
  return { now = world:now() }
end

--- Fills in what scenario files see, once there is a world.
function console.open(world)
  for name, run in pairs(require "sim.control") do
    if type(run) == "function" then
      console.commands[name] = run
    end
  end
  for name, run in pairs(console.commands) do
    console[name] = function(args)
      return run(world, args or {})
    end
  end
  console.world = world
end

return console
