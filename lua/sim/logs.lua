--- CloudWatch Logs: groups, streams, events, filter patterns, metric filters and Insights queries.

local events = require "sim.logs.events"
local facts = require "sim.facts.logs"
local groups = require "sim.logs.groups"
local insights = require "sim.logs.insights"
local store = require "sim.logs.store"
local util = require "sim.util"

local logs = { operations = {}, handlers = insights.handlers }

for _, part in ipairs { groups, events, insights } do
  for name, operation in util.sorted_pairs(part.operations) do
    logs.operations[name] = operation
  end
end

function logs.init(_, state)
  state.groups = {}
  state.queries = {}
  state.number = 0
end

-- ---- the log driver's side -----------------------------------------------------------------------

--- Whether a task can write to a group: it is there, and the scenario does not say that it is missing.
function logs.exists(world, name)
  local faults = require "sim.faults"
  return store.find(world, name) ~= nil and not faults.get(world, "log_group_missing", name)
end

--- A container wrote a line. Its stream is made when it is the first. It is found a few seconds later.
-- False when the group is not there: the line is lost.
function logs.put(world, name, stream_name, message)
  if not logs.exists(world, name) then
    return false
  end
  local group = store.find(world, name)
  local stream = store.open_stream(world, group, stream_name)
  local now = store.milliseconds(world)
  events.add(world, group, stream, now, message, now + facts.durations.ingest * 1000)
  return true
end

--- Makes a log group when there is none, as a scenario or an awslogs-create-group driver does.
function logs.add_group(world, name)
  if not store.find(world, name) then
    store.create(world, name, {})
  end
end

return logs
