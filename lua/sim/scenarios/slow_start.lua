--- The guide's service while somebody deploys an image that listens only after two and a half minutes, longer
-- than the grace period and the health checks allow: two minutes after the update.

local control = require "sim.control"
local service = require "sim.scenarios.service"

return function(world)
  service(world)
  control.image(world, { name = "aistudio-dev:v2", start = "150s" })
  control.deploy(world, { service = "aistudio-dev", image = "aistudio-dev:v2" })
  control.advance(world, { time = "2m" })
end
