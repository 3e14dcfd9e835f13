--- A recorded world: what `moonbook sim record` read of a live service becomes this world's, under the same
-- names, ids and ARNs, and goes on from there. docs/simulator.md says what the file holds.
--
-- Each service that keeps something has a module `sim.SERVICE.adopt` that takes over what was recorded of it.
-- Load balancing and alarms come before ECS, whose tasks are targets and whose deployments watch alarms.

local check = require "sim.recorded.check"
local evidence = require "sim.recorded.evidence"
local gaps = require "sim.recorded.gaps"
local usual = require "sim.recorded.usual"

local recorded = {}

local function part(file, name)
  return file[name] or {}
end

local function adopt(world, file)
  require("sim.ec2.adopt").network(world, part(file, "ec2"))
  gaps.network(world, file)
  require("sim.elbv2.adopt")(world, part(file, "elbv2"))
  gaps.balancing(world, file)
  require("sim.ecr.adopt")(world, part(file, "ecr"), usual.platforms(file))
  gaps.images(world, file, usual.platforms(file))
  require("sim.ssm.adopt")(world, part(file, "ssm"), gaps.parameter_values(file))
  for _, name in ipairs { "logs", "secretsmanager", "iam", "cloudwatch" } do
    require("sim." .. name .. ".adopt")(world, part(file, name))
  end
  gaps.names(world, file)
  usual.behaviours(world, file)
  evidence.behaviours(world, file)
  require("sim.ecs.adopt")(world, file.ecs)
  return require("sim.application_autoscaling.adopt")(world, part(file, "application_autoscaling"))
end

--- What is wrong with a file, as one line that names the field; nil when it can be loaded.
recorded.problem = check.problem

--- When a file was recorded: by the recorder's clock, or by the service's should that be ahead. Seconds since 1970.
function recorded.time(file)
  local newest = file.recorded_at
  for _, service in ipairs(file.ecs.services) do
    for _, list in ipairs { service.events or {}, service.deployments } do
      for _, item in ipairs(list) do
        newest = math.max(newest, item.updated_at or item.created_at or 0)
      end
    end
  end
  for _, task in ipairs(file.ecs.tasks or {}) do
    for _, member in ipairs { "created_at", "started_at", "stopping_at", "stopped_at" } do
      newest = math.max(newest, task[member] or 0)
    end
  end
  return newest
end

--- Makes a file's world of an empty one of the same account and region. `name` is the file's, for messages.
-- Says in `world.data.recorded` where it comes from, and what it lacks.
function recorded.load(world, file, name)
  local left_out = adopt(world, file)
  world.data.recorded = {
    file = name, at = file.recorded_at, cluster = file.cluster, service = file.service, not_read = file.not_read or {},
    left_out = left_out,
  }
end

return recorded
