--- The guide's service while somebody deploys a good image and Fargate has no room: two minutes after the
-- update. Capacity returns ten minutes later.

local control = require "sim.control"
local service = require "sim.scenarios.service"

return function(world)
  service(world)
  control.image(world, { name = "aistudio-dev:v2" })
  control.no_capacity(world, { service = "aistudio-dev", lasting = "12m" })
  control.deploy(world, { service = "aistudio-dev", image = "aistudio-dev:v2" })
  control.advance(world, { time = "2m" })
end
