--- Elastic Load Balancing: application load balancers in front of the tasks.

local facts = require "sim.facts.elbv2"
local listeners = require "sim.elbv2.listeners"
local store = require "sim.elbv2.store"
local targets = require "sim.elbv2.targets"
local traffic = require "sim.elbv2.traffic"
local util = require "sim.util"

local elbv2 = { operations = {}, handlers = {}, init = store.init, http = traffic.http }

for _, part in ipairs {
  require "sim.elbv2.balancers", require "sim.elbv2.groups", listeners, targets,
} do
  for name, run in util.sorted_pairs(part.operations) do
    elbv2.operations[name] = run
  end
  for name, run in util.sorted_pairs(part.handlers or {}) do
    elbv2.handlers[name] = run
  end
end

-- ---- tags of everything --------------------------------------------------------------------------

local kinds = {
  { pattern = ":loadbalancer/", kind = "balancers" }, { pattern = ":targetgroup/", kind = "groups" },
  { pattern = ":listener/", kind = "listeners" }, { pattern = ":listener%-rule/", kind = "rules" },
}

local function resource(world, arn)
  for _, entry in ipairs(kinds) do
    if arn:find(entry.pattern) then
      return store.get(world, entry.kind, arn)
    end
  end
  world:fail("ValidationError", facts.errors.tagged:format(arn))
end

function elbv2.operations.describe_tags(world, input)
  local out = {}
  for index, arn in ipairs(input.resource_arns) do
    out[index] = { resource_arn = arn, tags = store.list_of(resource(world, arn).tags) }
  end
  return { tag_descriptions = out }
end

function elbv2.operations.add_tags(world, input)
  for _, arn in ipairs(input.resource_arns) do
    local tags = resource(world, arn).tags
    for _, tag in ipairs(input.tags) do
      tags[tag.key] = tag.value or ""
    end
  end
  return {}
end

function elbv2.operations.remove_tags(world, input)
  for _, arn in ipairs(input.resource_arns) do
    local tags = resource(world, arn).tags
    for _, key in ipairs(input.tag_keys) do
      tags[key] = nil
    end
  end
  return {}
end

-- ---- doors ---------------------------------------------------------------------------------------

elbv2.register = targets.register
elbv2.deregister = targets.deregister
elbv2.health = targets.health
elbv2.delay = targets.delay
elbv2.look = targets.look
elbv2.minute = traffic.minute
elbv2.forwards = listeners.forwards
elbv2.weigh = listeners.weigh

--- The target group as DescribeTargetGroups shows it, or nil.
function elbv2.group(world, group_arn)
  local entry = store.find(world:state("elbv2").groups, "arn", group_arn)
  return entry and require("sim.elbv2.groups").show(world, entry)
end

return elbv2
