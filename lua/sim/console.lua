--- What a scenario file sees: every control command as a function of its arguments alone, and the
-- world itself. Filled in when the world is made.

local console = {}

function console.open(world)
  console.world = world
  for name, run in pairs(require "sim.control") do
    if name ~= "open" and name ~= "world" then
      console[name] = function(args)
        return run(world, args or {})
      end
    end
  end
end

return console
