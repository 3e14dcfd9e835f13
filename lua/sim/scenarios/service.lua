--- The service of the deployment guide, healthy: aistudio-dev, one task behind a load balancer, with its
-- alarms, auto scaling and a secret.

local control = require "sim.control"

return function(world)
  control.service(world, {
    app = "aistudio", env = "dev", desired = 1, image = "aistudio-dev:v1", load_balancer = true,
    autoscaling = { min = 1, max = 3 }, circuit_breaker = { enable = true, rollback = true }, alarms = true,
    secrets = { DATABASE_URL = "aistudio/dev/database" },
  })
end
