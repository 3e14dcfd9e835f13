--- What really happened: how the deployment that the client under test started has ended, and what
-- runs. Read from the state of the world itself, not from answers of its API, which may lag, be
-- refused or be misread; and knows nothing of any client. What the scenario does (deploys, calls and
-- stops by others) is told apart from what a client does by who called.

local history = require "sim.ecs.history"
local texts = require "sim.facts.texts"
local util = require "sim.util"

local truth = {}

-- ---- how it ended --------------------------------------------------------------------------------

local words = {
  PENDING = "still_running", IN_PROGRESS = "still_running", STOP_REQUESTED = "rolling_back",
  ROLLBACK_REQUESTED = "rolling_back", ROLLBACK_IN_PROGRESS = "rolling_back", SUCCESSFUL = "deployed",
  ROLLBACK_FAILED = "failed",
}

local function reason(name)
  return texts.fill(texts.service_deployment[name], {})
end

local function is_paused(record)
  for _, hook in ipairs(record.status == "IN_PROGRESS" and record.hooks or {}) do
    if hook.status == "AWAITING_ACTION" then
      return true
    end
  end
  return false
end

local function word_of(record)
  if is_paused(record) then
    return "paused"
  elseif record.status == "ROLLBACK_SUCCESSFUL" then
    return not record.stopped_by and "rolled_back" or record.stopped_by == "scenario" and "stopped" or "undone"
  elseif record.status == "STOPPED" then
    return record.status_reason == reason "superseded" and "superseded"
      or record.status_reason == reason "deleted" and "deleted" or "failed"
  end
  return words[record.status]
end

-- The newest deployment that a client started or stopped, whether it is the newest of all, and how many
-- were started.
local function of_client(world, service)
  local found, newest, started = nil, false, 0
  for index, arn in ipairs(service.history) do
    local record = history.record(world, arn)
    started = started + (record.started_by and 1 or 0)
    if not found and (record.started_by or record.stopped_by and record.stopped_by ~= "scenario") then
      found, newest = record, index == 1
    end
  end
  return found, newest, started
end

-- ---- what runs -----------------------------------------------------------------------------------

-- Whether every target of the task is healthy; a task without one has none that is not.
local function is_healthy(world, task)
  for _, target in ipairs(task.targets) do
    local address = { id = task.interface.ip, port = target.port }
    if require("sim.elbv2").health(world, target.group, address) ~= "healthy" then
      return false
    end
  end
  return true
end

-- Whether something listens at each port that the task offers a load balancer.
local function answers(world, task)
  for _, target in ipairs(task.targets) do
    local group = require("sim.elbv2").group(world, target.group)
    local answer = require("sim.app").probe(world, task.interface.ip, target.port, group.health_check_path or "/")
    if not answer or not answer.status or answer.status >= 500 then
      return false
    end
  end
  return true
end

local function name_of(world, digest)
  return digest and (require("sim.ecr").built_as(world, digest) or digest) or "unknown"
end

local function image_of(world, task)
  return name_of(world, task.view.containers[1].image_digest)
end

-- The image of a service revision, by the digest that ECS noted for it.
local function image_of_revision(world, arn)
  local revision = world:state("ecs").revisions[arn]
  return name_of(world, revision.images[1] and revision.images[1].image_digest)
end

-- Whether the requests of customers reach a deployment's tasks. Without stages they reach all that are healthy.
local function gets_traffic(service, id)
  for _, deployment in ipairs(service.deployments) do
    if deployment.id == id then
      return deployment.production ~= 0
    end
  end
  return false
end

local function add(list, name)
  if not util.holds(list, name) then
    table.insert(list, name)
  end
end

-- The service's tasks that run and are not told to stop: how many, of which images, how many of them are healthy,
-- which images get requests, and whether a task that gets some answers.
local function look(world, service)
  local out = { running = 0, healthy = 0, images = {}, receiving = {}, serving = false }
  for _, id in ipairs(service.tasks) do
    local task = world:state("ecs").tasks[id]
    if task.view.last_status == "RUNNING" and task.view.desired_status == "RUNNING" then
      local name, healthy = image_of(world, task), is_healthy(world, task)
      local receives = healthy and gets_traffic(service, task.deployment)
      out.running = out.running + 1
      out.healthy = out.healthy + (healthy and 1 or 0)
      out.serving = out.serving or receives and answers(world, task)
      add(out.images, name)
      if receives then
        add(out.receiving, name)
      end
    end
  end
  table.sort(out.images)
  table.sort(out.receiving)
  return out
end

-- ---- all of it -----------------------------------------------------------------------------------

local function only_service(world)
  local found
  for _, service in util.sorted_pairs(world:state("ecs").services) do
    if found then
      error("truth: there are several services: say 'cluster' and 'service'", 0)
    end
    found = service
  end
  return found
end

--- The truth about a service: { cluster, service }, both needless when there is but one. Gives
--
--     ended     how the newest deployment ended that a client started or stopped: deployed, rolled_back (by ECS),
--               undone (a client stopped it), stopped (somebody else did), superseded, failed (nothing
--               restored), deleted, rolling_back, still_running, paused (it waits at a hook for somebody);
--               nothing_changed when there is none
--     status    that service deployment's own status, or nil
--     newest    whether nobody has deployed since
--     started   how many deployments clients started
--     moving    whether a deployment is under way, whoever started it
--     images    what runs, by the names the images were built under (a tag may have been moved since), sorted
--     receiving the images of healthy tasks that get customers' requests, sorted
--     most_traffic  the most of production traffic, in percent, that the client's deployment ever got; nil when it
--               has no stages
--     primary   the image of the primary deployment, of which ECS starts new tasks
--     running, healthy, desired   tasks that run; of these, with healthy targets everywhere; wanted
--     serving   whether a healthy task that gets requests answers
function truth.of(world, args)
  local key = args.service and ("%s/%s"):format(args.cluster or args.service, args.service)
  local service = key and world:state("ecs").services[key] or not key and only_service(world)
  if not service then
    return { ended = "nothing_changed", newest = false, started = 0, moving = false, images = {}, receiving = {}, running = 0,
      healthy = 0, desired = 0, serving = false }
  end
  local record, newest, started = of_client(world, service)
  local out, primary = look(world, service), service.deployments[1]
  out.ended = record and word_of(record) or "nothing_changed"
  if service.status ~= "ACTIVE" then
    out.ended = "deleted"
  end
  out.status, out.newest, out.started = record and record.status, newest, started
  out.most_traffic = record and record.shifts and (record.most_traffic or 0) or nil
  out.moving = service.status == "ACTIVE" and primary ~= nil and primary.rollout_state == "IN_PROGRESS"
  out.primary = primary and image_of_revision(world, primary.revision)
  out.desired = service.desired
  return out
end

local patience = 4 * 3600 -- a deployment that no breaker watches may never end

--- Moves the clock until no deployment is under way, or gives up after four hours; gives the truth then.
function truth.settled(world, args)
  local ends = world:now() + patience
  local now = truth.of(world, args)
  while now.moving and world:now() < ends do
    world:advance_to(world:now() + 5)
    now = truth.of(world, args)
  end
  return now
end

return truth
