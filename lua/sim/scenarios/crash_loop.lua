--- The guide's service while somebody deploys an image that ends with code 1 after eight seconds: three
-- minutes after the update.

local control = require "sim.control"
local service = require "sim.scenarios.service"

return function(world)
  service(world)
  control.image(world, { name = "aistudio-dev:v2", crash = {
    exit = 1, after = "8s", says = '{"level":"error","message":"DATABASE_URL is not set"}',
  } })
  control.deploy(world, { service = "aistudio-dev", image = "aistudio-dev:v2" })
  control.advance(world, { time = "3m" })
end
