--- The application itself: what runs in the containers, as far as anybody outside can tell. It listens,
-- answers its health page, is slow, fails, hangs. What an image does comes from the faults; one of
-- which nothing is said is well.

local facts = require "sim.facts.app"
local faults = require "sim.faults"
local util = require "sim.util"

local app = { operations = {}, handlers = {} }

function app.init(_, state)
  state.running = {} -- by "ip:port"
end

-- ---- what an image does --------------------------------------------------------------------------

-- The digest that an image stands for now, or nil.
local function digest_of(world, image)
  local pinned = image:match("@(.+)$")
  if pinned then
    return pinned
  end
  local found = require("sim.ecr").resolve(world, image)
  return found and found.digest
end

--- What a container of this image does; see docs/simulator.md. What is usual for the container gives way
-- to words about everything ("*"), these to those about the image, these to those about what its tag
-- stands for now, and these to those about the container.
function app.behaviour(world, image, container)
  local out = { start_seconds = facts.durations.start }
  local function take(behaviour)
    for key, value in util.sorted_pairs(behaviour or {}) do
      out[key] = util.copy(value)
    end
  end
  take(container and faults.of(world, "behaviour", "usual:" .. container))
  take(faults.of(world, "behaviour", "*"))
  if image then
    take(faults.of(world, "behaviour", image))
    local digest = digest_of(world, image)
    take(digest and faults.of(world, "behaviour", digest))
  end
  take(container and faults.of(world, "behaviour", "container:" .. container))
  return out
end

-- ---- processes -----------------------------------------------------------------------------------

local function look_again(world, ip)
  require("sim.elbv2").look(world, ip)
end

--- The container's process runs; it listens some seconds later.
function app.start(world, ip, port, image, container)
  local key = ("%s:%d"):format(ip, port)
  local behaviour = app.behaviour(world, image, container)
  local delay = behaviour.start_seconds
  world:state("app").running[key] = {
    ip = ip, port = port, image = image, container = container, listens_at = world:now() + delay,
    started_at = world:now(),
  }
  world:after(delay, "app.listen", { ip = ip })
  if behaviour.hang_after then
    world:after(behaviour.hang_after, "app.listen", { ip = ip })
  end
end

--- The container's process runs since a time in the past, and listens: that of a recorded task.
function app.adopt(world, ip, port, image, container, since)
  world:state("app").running[("%s:%d"):format(ip, port)] = {
    ip = ip, port = port, image = image, container = container, listens_at = since, started_at = since,
  }
end

--- Every process at this address is gone.
function app.stop(world, ip)
  local running = world:state("app").running
  for key, instance in util.sorted_pairs(running) do
    if instance.ip == ip then
      running[key] = nil
    end
  end
  look_again(world, ip)
end

function app.handlers.listen(world, args)
  look_again(world, args.ip)
end

--- What applications do may have changed: everybody who watches one looks again.
function app.changed(world)
  local seen = {}
  for _, instance in util.sorted_pairs(world:state("app").running) do
    if not seen[instance.ip] then
      seen[instance.ip] = true
      look_again(world, instance.ip)
    end
  end
  require("sim.ecs").behaviour_changed(world)
end

-- ---- answering -----------------------------------------------------------------------------------

local function plain_path(path)
  return path:match("^[^?#]*")
end

-- The status of a page: that of the whole application when one is said, else its own. An application
-- of which no pages are listed has them all.
local function status_of(behaviour, path)
  if behaviour.status then
    return behaviour.status
  elseif behaviour.paths then
    return behaviour.paths[plain_path(path)] or 404
  end
  return 200
end

local function hangs(world, behaviour, instance)
  return behaviour.hang or behaviour.hang_after and world:now() >= instance.started_at + behaviour.hang_after
end

--- The instance that listens at an address, or nil.
local function listening(world, ip, port)
  local instance = world:state("app").running[("%s:%d"):format(ip, port)]
  return instance and world:now() >= instance.listens_at and instance or nil
end

--- What a request is answered: {status, seconds}, seconds of facts.durations.never for one that gets no
-- answer; nil when nothing listens. Second, whether the next answer may be another by chance alone.
function app.probe(world, ip, port, path)
  local instance = listening(world, ip, port)
  if not instance then
    return nil
  end
  local behaviour = app.behaviour(world, instance.image, instance.container)
  if hangs(world, behaviour, instance) then
    return { seconds = facts.durations.never }
  end
  local answer = {
    status = status_of(behaviour, path),
    seconds = behaviour.latency or facts.durations.answer,
  }
  local chance = behaviour.error_rate or 0
  if chance > 0 and world:random() * 100 < chance then
    answer.status = behaviour.error_status or 500
  end
  return answer, chance > 0 and chance < 100
end

--- Averages for metrics, without asking: {seconds, error_rate} of what listens there, or nil.
function app.manner(world, ip, port)
  local instance = listening(world, ip, port)
  if not instance then
    return nil
  end
  local behaviour = app.behaviour(world, instance.image, instance.container)
  local failing = behaviour.status and behaviour.status >= 500
  return {
    seconds = hangs(world, behaviour, instance) and facts.durations.never
      or behaviour.latency or facts.durations.answer,
    error_rate = failing and 100 or behaviour.error_rate or 0,
  }
end

--- The body of an answer.
function app.body(path, status)
  if status >= 200 and status < 300 then
    return facts.health_pages[plain_path(path)] and facts.texts.healthy or facts.texts.page
  end
  return facts.texts.failed:format(status)
end

return app
