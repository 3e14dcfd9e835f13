-- The guide's service, and what its registry holds: v2 is good, v3 ends eight seconds after it was started.

require "sim.scenarios.service"(world)

image { name = "aistudio-dev:v2" }
image { name = "aistudio-dev:v3", crash = { exit = 1, after = "8s", says = "DATABASE_URL is not set" } }
