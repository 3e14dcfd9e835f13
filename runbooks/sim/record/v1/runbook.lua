-- Reads a service and everything it touches, and gives it as one table: what `moonbook sim record` writes
-- into a file. docs/simulator.md says what the table holds; lua/sim/recorded.lua reads it.

local balancing = require "lib.balancing"
local history = require "lib.history"
local images = require "lib.images"
local names = require "lib.names"
local redact = require "lib.redact"
local watching = require "lib.watching"

local format = 1

local runbook = {}

-- What the simulator could not play is not worth recording.
local function not_played(service)
  local controller = service.deployment_controller and service.deployment_controller.type or "ECS"
  if service.scheduling_strategy == "DAEMON" then
    return "the scheduling strategy DAEMON"
  elseif controller ~= "ECS" then
    return "the deployment controller " .. controller
  elseif service.launch_type == "EC2" or service.launch_type == "EXTERNAL" then
    return "the launch type " .. service.launch_type
  end
end

-- Without the service there is nothing to record, so this is the one read that may not fail.
function runbook.plan(run, args)
  if args.history < 1 or args.history > 100 then
    return { refuse = ("A history of %d deployments cannot be read; it is 1 to 100."):format(args.history) }
  end
  local input = { cluster = args.cluster, services = { args.service }, include = { "TAGS" } }
  local answer, err = attempt(ecs.describe_services, input)
  if not answer and (err.code == "ClusterNotFoundException" or err.code == "MISSING") then
    return { refuse = ("There is no service %s in cluster %s."):format(args.service, args.cluster) }
  elseif not answer then
    error(err, 0)
  end
  local service = answer.services[1]
  local what = not_played(service)
  if what then
    return { refuse = ("Service %s has %s, which the simulator does not have."):format(args.service, what) }
  end
  return { service = service }
end

-- What a service is made of is known only when its history and its load balancers are.
local function read_rest(reader, world, service, args)
  local function take(name, read)
    return function()
      world[name] = read()
    end
  end
  together {
    take("ec2", function()
      return balancing.network(reader, world)
    end),
    take("ecr", function()
      return images.read(reader, world.ecs, world.account, world.region)
    end),
    take("logs", function()
      return watching.logs(reader, world.ecs, args.log_group)
    end),
    take("cloudwatch", function()
      return watching.alarms(reader, service, world.elbv2, args.dashboard)
    end),
    take("application_autoscaling", function()
      return watching.scaling(reader, service)
    end),
    take("secretsmanager", function()
      return names.secrets(reader, world.ecs)
    end),
    take("ssm", function()
      return names.parameters(reader, world.ecs, args)
    end),
    take("iam", function()
      return names.roles(reader, world.ecs)
    end),
  }
end

local function read_world(reader, service, args)
  local _, _, region, account = service.service_arn:find("^arn:[^:]*:ecs:([^:]+):(%d+):")
  local world = {
    moonbook_world = format,
    account = account,
    region = region,
    cluster = service.cluster_arn:match("([^/]+)$"),
    service = service.service_name,
    environment = args.with_environment and "kept" or "redacted",
  }
  together {
    function()
      world.ecs = history.read(reader, service, args.history)
    end,
    function()
      world.elbv2 = balancing.read(reader, service)
    end,
  }
  read_rest(reader, world, service, args)
  return world
end

function runbook.verify(run, args, plan)
  local reader = require("lib.reader").new()
  local world = redact.all(read_world(reader, plan.service, args), args.with_environment)
  world.recorded_at = now()
  world.not_read = reader.missing
  for _, missing in ipairs(reader.missing) do
    log.warn(("not read: %s: %s %s"):format(missing.what, missing.operation, missing.code))
  end
  return {
    message = ("%s in cluster %s is recorded%s."):format(
      world.service,
      world.cluster,
      #reader.missing > 0 and (", without %d things that could not be read"):format(#reader.missing) or ""
    ),
    world = world,
  }
end

return runbook
