--- The guide's service while somebody deploys an image that does not exist: three minutes after the update.

local control = require "sim.control"
local service = require "sim.scenarios.service"

return function(world)
  service(world)
  control.image(world, { name = "aistudio-dev:v2", missing = true })
  control.deploy(world, { service = "aistudio-dev", image = "aistudio-dev:v2" })
  control.advance(world, { time = "3m" })
end
