--- The one door between the C side of the simulator and the world. Everything goes through here as
-- plain data.

local console = require "sim.console"

local host = {}
local world
local made -- what the world was made with

--- Makes the world: empty, or as a file kept it.
function host.create(options, saved)
  made = options
  world = require("sim.world").new(options, saved)
  console.open(world)
end

--- One operation: {output} or {error}, and what the faults say about the way back.
function host.call(service, operation, input, caller)
  caller.arn = caller.arn or ("arn:aws:iam::%s:user/operator"):format(world.data.account)
  return world:call(service, operation, input or {}, caller)
end

--- A request that is no AWS call: the first service that knows it answers, unless trouble of "http" comes before it.
function host.http(request)
  local fault = world.faults.of_pages(world)
  if fault then
    return fault
  end
  for _, name in ipairs(world.names) do
    local service = world.services[name]
    local answer = service.http and service.http(world, request)
    if answer then
      return answer
    end
  end
end

--- The secret of a temporary access key, or nil when the key is none of the world's.
function host.secret(access_key)
  local sts = world.services.sts
  return sts and sts.secret and sts.secret(world, access_key)
end

local function is_busy()
  for _, service in ipairs(require("sim.ecs").services(world)) do
    if service.pending > 0 or service.running ~= service.desired or service.deployments > 1 then
      return true
    end
  end
  return false
end

local patience = 3600 -- a service that cannot become steady must not hold up its callers for ever

--- Moves on until every service is steady; gives the time then.
function host.settle()
  local last = world:now() + patience
  while is_busy() do
    local at = world:next_event()
    if not at or at > last then
      break
    end
    world:advance_to(at)
  end
  return world:now()
end

function host.next_event()
  return world:next_event()
end

function host.advance_to(time)
  world:advance_to(time)
end

function host.now()
  return world:now()
end

function host.save()
  return world:save()
end

local function names_of(functions)
  local names = {}
  for name in pairs(functions) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- The commands there are, by name.
function host.commands()
  return names_of(console.commands)
end

--- One command of the control interface.
function host.control(command, args)
  local run = console.commands[command]
  if not run then
    local names = table.concat(host.commands(), ", ")
    error(("there is no command '%s'; there are %s"):format(command, names), 0)
  end
  return run(world, args or {})
end

--- Sets up a stock scenario.
function host.scenario(name)
  local scenario = require("sim.scenarios." .. name)
  local setup = type(scenario) == "table" and scenario.setup or scenario
  setup(world)
end

--- Makes the world that a file of `moonbook sim record` tells of; `name` is the file's. Its clock does not stand
-- before the recording, nor before the time that the world was to begin at. Chance is another than where it was
-- recorded: should that have been a simulator, new names must not be those that are there. Gives {region}, or
-- {problem}.
function host.recorded(file, name)
  local recorded = require "sim.recorded"
  local problem = recorded.problem(file)
  if problem then
    return { problem = problem }
  end
  world.data = require("sim.world").new({
    seed = made.seed + math.floor(recorded.time(file) * 1000), now = math.max(recorded.time(file), made.now or 0), account = file.account, region = file.region,
  }).data
  local ok, why = pcall(recorded.load, world, file, name)
  if not ok then
    return { problem = "no world can be made of it: " .. tostring(type(why) == "table" and why.message or why) }
  end
  return { region = file.region }
end

return host
