--- An image that a recorded service runs and of which ECR could not be asked.

local store = require "sim.ecr.store"
local util = require "sim.util"

--- Puts {name, tag, digest} into the registry unless it is there. `platforms`: what it ran on.
return function(world, image, platforms)
  local repository = store.find(world, image.name) or store.create(world, image.name, {})
  if not store.image(repository, image.digest) then
    repository.images[#repository.images + 1] = {
      digest = image.digest, media_type = "application/vnd.oci.image.manifest.v1+json", manifest = "",
      pushed_at = world:now(), platforms = util.copy(platforms or { "linux/amd64" }),
    }
  end
  if image.tag then
    repository.tags[image.tag] = image.digest
  end
end
