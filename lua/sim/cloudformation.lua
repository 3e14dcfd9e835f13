--- CloudFormation: stacks whose resources are really made, in the services that the simulator has.
--
-- Templates are JSON. Resources of types that the simulator does not have are taken as they are, with
-- ids that look right.

local stacks = require "sim.cloudformation.stacks"
local util = require "sim.util"

local cloudformation = { operations = {}, handlers = {}, init = stacks.init }

for _, part in ipairs {
  stacks, require "sim.cloudformation.requests", require "sim.cloudformation.changes", require "sim.cloudformation.engine",
} do
  for name, run in util.sorted_pairs(part.operations or {}) do
    cloudformation.operations[name] = run
  end
  for name, run in util.sorted_pairs(part.handlers or {}) do
    cloudformation.handlers[name] = run
  end
end

return cloudformation
