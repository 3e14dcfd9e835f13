--- The log groups, their streams and events, and what all of Logs asks of them. Times of events are
-- milliseconds since 1970, as the service has them.

local facts = require "sim.facts.logs"

local store = {}

--- Now, in milliseconds.
function store.milliseconds(world)
  return math.floor(world:now() * 1000 + 0.5)
end

--- The group of that name, or nil.
function store.find(world, name)
  return world:state("logs").groups[name]
end

--- The group of that name; fails when there is none.
function store.group(world, name)
  local group = store.find(world, name)
  if not group then
    world:fail("ResourceNotFoundException", facts.texts.group_missing)
  end
  return group
end

--- The name in an ARN or a name: "arn:...:log-group:NAME:*" gives NAME.
function store.name_in(identifier)
  return identifier:match("^arn:[^:]*:logs:[^:]*:[^:]*:log%-group:([^:]+)") or identifier
end

--- The group that an operation names by log_group_name or log_group_identifier.
function store.identified(world, input)
  if input.log_group_name and input.log_group_identifier then
    world:fail("InvalidParameterException", facts.texts.group_twice)
  elseif not input.log_group_name and not input.log_group_identifier then
    world:fail("InvalidParameterException", facts.texts.group_none)
  end
  return store.group(world, input.log_group_name or store.name_in(input.log_group_identifier))
end

--- Makes a group. `options`: class, tags, key, protected.
function store.create(world, name, options)
  local group = {
    name = name, created = store.milliseconds(world), class = options.class or "STANDARD",
    tags = options.tags or {}, key = options.key, protected = options.protected or false,
    streams = {}, filters = {}, bytes = 0,
  }
  world:state("logs").groups[name] = group
  return group
end

--- The stream of that name in a group, made when there is none.
function store.open_stream(world, group, name)
  local stream = group.streams[name]
  if not stream then
    stream = { name = name, created = store.milliseconds(world), events = {} }
    group.streams[name] = stream
  end
  return stream
end

--- Adds an event to a stream. It is found from `ingested` on. Events stay in order of their time.
function store.append(world, group, stream, timestamp, message, ingested)
  local state = world:state("logs")
  state.number = state.number + 1
  local event = { timestamp = timestamp, message = message, ingested = ingested, number = state.number }
  local events = stream.events
  local at = #events + 1
  while at > 1 and events[at - 1].timestamp > timestamp do
    at = at - 1
  end
  table.insert(events, at, event)
  group.bytes = group.bytes + #message + 26
  return event
end

--- Whether a reader sees an event now: it has arrived and is not older than the group keeps.
function store.sees(world, group, event)
  local now = store.milliseconds(world)
  local kept = group.retention and now - group.retention * 86400000 or nil
  return event.ingested <= now and (not kept or event.timestamp >= kept)
end

function store.arn(world, name)
  return world:arn("logs", "log-group:" .. name)
end

--- An event's id: 56 digits that rise with time and order.
function store.event_id(event)
  return ("3%023d%032d"):format(event.timestamp, event.number)
end

return store
