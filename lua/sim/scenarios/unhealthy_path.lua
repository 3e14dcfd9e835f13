--- The guide's service while somebody deploys an image whose health page is gone: its checks meet 404. Two
-- minutes after the update.

local control = require "sim.control"
local service = require "sim.scenarios.service"

return function(world)
  service(world)
  control.image(world, { name = "aistudio-dev:v2", paths = { ["/"] = 200 } })
  control.deploy(world, { service = "aistudio-dev", image = "aistudio-dev:v2" })
  control.advance(world, { time = "2m" })
end
