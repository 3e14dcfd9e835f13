--- Amazon ECS: clusters, task definitions, services and their deployments, and tasks on Fargate.
--
-- The parts are in sim/ecs. What they keep, all of it plain data, in world:state("ecs"):
--
--     clusters             by name
--     families             by name: the newest revision's number
--     definitions          by "family:revision"
--     services             by "cluster/service"
--     tasks                by id; stopped ones for an hour
--     revisions            service revisions by ARN
--     service_deployments  by ARN
--     account              settings that somebody set

local callers = require "sim.ecs.callers"
local calls = require "sim.ecs.calls"
local scheduler = require "sim.ecs.scheduler"
local services = require "sim.ecs.services"

local parts = {
  require "sim.ecs.clusters", require "sim.ecs.definitions", services, scheduler, require "sim.ecs.deployments",
  require "sim.ecs.history", require "sim.ecs.hooks", require "sim.ecs.tasks", require "sim.ecs.stopping", calls,
  require "sim.ecs.settings",
}

local ecs = { operations = {}, handlers = {} }

for _, part in ipairs(parts) do
  for name, operation in pairs(part.operations or {}) do
    ecs.operations[name] = operation
  end
  for name, handler in pairs(part.handlers or {}) do
    ecs.handlers[name] = handler
  end
end

callers.note(ecs.operations)

function ecs.init(_, state)
  for _, name in ipairs {
    "clusters", "families", "definitions", "services", "tasks", "revisions", "service_deployments", "account",
  } do
    state[name] = {}
  end
  state.passes, state.placed = 0, 0
end

ecs.set_desired_count = services.set_desired_count
ecs.services = services.all
ecs.deploying = services.deploying
ecs.target_changed = services.target_changed
ecs.behaviour_changed = calls.behaviour_changed
ecs.interrupt = calls.interrupt
ecs.adopt = require("sim.ecs.controllers").adopt

return ecs
