--- Service events: newest first, a hundred at most, and not the same one over and over.

local durations = require "sim.facts.durations"
local texts = require "sim.facts.texts"

local events = {}

local kept = 100

--- Writes an event. `values` fill the text; `later` is how many milliseconds after now it is written.
function events.write(world, service, name, values, later)
  values = values or {}
  values.S = service.name
  local message = texts.fill(texts.events[name], values)
  local now = world:now() + (later or 0) / 1000
  local last = service.events[1]
  if last and last.message == message and now - last.created_at < durations.usual("steady_repeat") then
    return
  end
  table.insert(service.events, 1, { id = world:uuid(), created_at = now, message = message })
  service.events[kept + 1] = nil
end

--- "(task a) (task b)"
function events.list(tasks)
  local out = {}
  for index, task in ipairs(tasks) do
    out[index] = ("(task %s)"):format(task.id)
  end
  return table.concat(out, " ")
end

return events
