--- The guide's service, deployed blue/green, while a good new image waits for somebody's word: its tests may reach
-- green, customers do not, and the deployment is paused after the test traffic shift. Five minutes of bake time.

local control = require "sim.control"

return function(world)
  control.service(world, {
    app = "aistudio", env = "dev", desired = 2, image = "aistudio-dev:v1", alarms = true, strategy = "BLUE_GREEN",
    bake = "5m", circuit_breaker = { enable = true, rollback = true },
    hooks = { { stage = "POST_TEST_TRAFFIC_SHIFT", pause = true } },
  })
  control.image(world, { name = "aistudio-dev:v2" })
  control.deploy(world, { service = "aistudio-dev", image = "aistudio-dev:v2" })
  control.advance(world, { time = "5m" })
end
