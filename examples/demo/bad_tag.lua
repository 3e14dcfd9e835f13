-- The guide's service, and a tag that somebody has moved: what `v1` names now ends eight seconds after
-- it was started. Tasks that run already keep the old image.

require "sim.scenarios.service"(world)

image { name = "aistudio-dev:v2", crash = { exit = 1, after = "8s", says = "DATABASE_URL is not set" } }
move_tag { image = "aistudio-dev:v1", to = "aistudio-dev:v2" }
