--- Targets: registered, checked, drained.
--
-- A check is made only when it can change something. A target whose state agrees with its last answer
-- is left alone until somebody says that its application may have changed (targets.look); the check is
-- then made at the moment when the next regular one was due. So a steady world has an empty queue, and
-- every state still changes when it would with a check per interval.

local app = require "sim.app"
local facts = require "sim.facts.elbv2"
local store = require "sim.elbv2.store"
local util = require "sim.util"

local targets = { operations = {}, handlers = {} }
local operations = targets.operations

local function key_of(group, target)
  return ("%s:%d"):format(target.id, target.port or group.description.port)
end

local function in_use(world, group)
  return #store.balancers_of(world, group.arn) > 0
end

-- ---- checks --------------------------------------------------------------------------------------

local function plan(world, group, target, delay)
  target.pending = world:after(delay, "elbv2.check", { group = group.arn, key = target.key })
end

local function unplan(world, target)
  if target.pending then
    world:cancel(target.pending)
    target.pending = nil
  end
end

-- When the next regular check is due, in seconds from now.
local function until_next(world, group, target)
  local interval = group.description.health_check_interval_seconds
  local since = world:now() - target.checked_at
  return (math.floor(since / interval) + 1) * interval - since
end

-- "200,202" or "200-299" against a status.
local function matches(matcher, status)
  for part in (matcher and matcher.http_code or facts.matcher):gmatch("[^,]+") do
    local low, high = part:match("^%s*(%d+)%s*%-%s*(%d+)%s*$")
    low = tonumber(low or part)
    if low and status >= low and status <= (tonumber(high or low)) then
      return true
    end
  end
  return false
end

-- One check: nil when it passes, else the key of facts.health and the status; then whether chance
-- alone may make the next one another.
local function verdict(world, group, target)
  local check = group.description
  local port = check.health_check_port == "traffic-port" and target.port or tonumber(check.health_check_port)
  local answer, unsteady = app.probe(world, target.id, port, check.health_check_path or "/")
  if not answer then
    return "failed"
  elseif check.health_check_protocol == "TCP" then
    return nil
  elseif answer.seconds > check.health_check_timeout_seconds then
    return "timeout"
  elseif matches(check.matcher, answer.status) then
    return nil, nil, unsteady
  end
  return "mismatch", answer.status, unsteady
end

local function enter(world, group, target, state)
  target.state = state
  require("sim.ecs").target_changed(world, group.arn)
end

-- Counts one check's outcome. Returns true when state and outcome agree.
local function count(world, group, target, problem, status)
  local check = group.description
  if problem then
    target.passes, target.fails = 0, target.fails + 1
    target.problem, target.status = problem, status
    if target.state ~= "unhealthy" and target.fails >= check.unhealthy_threshold_count then
      enter(world, group, target, "unhealthy")
    end
    return target.state == "unhealthy"
  end
  target.passes, target.fails = target.passes + 1, 0
  if target.state == "initial" or target.state == "unhealthy" and target.passes >= check.healthy_threshold_count then
    enter(world, group, target, "healthy")
  end
  return target.state == "healthy"
end

local function checked(target)
  return target.state == "initial" or target.state == "healthy" or target.state == "unhealthy"
end

function targets.handlers.check(world, args)
  local group = store.find(world:state("elbv2").groups, "arn", args.group)
  local target = group and group.targets[args.key]
  if not target or not checked(target) then
    return
  end
  target.pending, target.checked_at = nil, world:now()
  local problem, status, unsteady = verdict(world, group, target)
  local settled = count(world, group, target, problem, status)
  if not settled or unsteady then
    plan(world, group, target, group.description.health_check_interval_seconds)
  end
end

local function look(world, group, target)
  if checked(target) and not target.pending then
    plan(world, group, target, until_next(world, group, target))
  end
end

--- The application at this address may have changed.
function targets.look(world, ip)
  for _, group in ipairs(world:state("elbv2").groups) do
    for _, target in util.sorted_pairs(group.targets) do
      if target.id == ip then
        look(world, group, target)
      end
    end
  end
end

--- What a group's checks ask for has changed.
function targets.look_at_group(world, group)
  for _, target in util.sorted_pairs(group.targets) do
    look(world, group, target)
  end
end

-- ---- registration --------------------------------------------------------------------------------

local function begin(world, group, target)
  target.state, target.registered_at = "initial", world:now()
  target.passes, target.fails, target.problem = 0, 0, nil
  local first = world:about(facts.durations.first_check, 0.2)
  target.checked_at = world:now() + first - group.description.health_check_interval_seconds
  plan(world, group, target, first)
end

--- Registers {id, port}: checks start. Again while it drains takes the draining back.
function targets.register(world, group_arn, input)
  local group = store.get(world, "groups", group_arn)
  local key = key_of(group, input)
  local present = group.targets[key]
  if present and present.state ~= "draining" then
    return
  elseif present then
    world:cancel(present.gone)
  end
  local target = {
    key = key, id = input.id, port = input.port or group.description.port, passes = 0, fails = 0,
    zone = input.availability_zone or require("sim.ec2").zone_of(world, input.id), registered_at = world:now(),
  }
  group.targets[key] = target
  if in_use(world, group) then
    begin(world, group, target)
  else
    target.state = "unused"
  end
end

--- Seconds that a target of this group drains.
function targets.delay(world, group_arn)
  local group = store.find(world:state("elbv2").groups, "arn", group_arn)
  return group and tonumber(group.attributes["deregistration_delay.timeout_seconds"])
end

--- Starts draining; an unknown target is nobody's trouble, nor is a group that somebody deleted.
function targets.deregister(world, group_arn, input)
  local group = store.find(world:state("elbv2").groups, "arn", group_arn)
  local target = group and group.targets[key_of(group, input)]
  if not target or target.state == "draining" then
    return
  end
  unplan(world, target)
  local delay = targets.delay(world, group_arn)
  if target.state == "unused" or delay == 0 then
    group.targets[target.key] = nil
    return
  end
  target.state = "draining"
  target.gone = world:after(delay, "elbv2.gone", { group = group_arn, key = target.key })
end

function targets.handlers.gone(world, args)
  local group = store.find(world:state("elbv2").groups, "arn", args.group)
  if group then
    group.targets[args.key] = nil
  end
end

--- A listener or rule came or went: targets of a group in use are checked, others are not.
function targets.settle(world, group)
  local used = in_use(world, group)
  for _, target in util.sorted_pairs(group.targets) do
    if used and target.state == "unused" then
      begin(world, group, target)
    elseif not used and checked(target) then
      unplan(world, target)
      target.state = "unused"
    end
  end
end

-- ---- showing -------------------------------------------------------------------------------------

local function reason_of(world, target)
  if not target then
    return "unused", facts.health.unregistered
  elseif target.state == "initial" then
    local known = world:now() >= target.registered_at + facts.durations.registering
    return "initial", known and facts.health.checking or facts.health.registering
  elseif target.state == "unhealthy" then
    return "unhealthy", facts.health[target.problem]
  end
  return target.state, facts.health[target.state]
end

local function health_of(world, target)
  local state, why = reason_of(world, target)
  if why then
    return state, why[1], target and target.status and why[2]:format(target.status) or why[2]
  end
  return state
end

--- state, reason, description of {id, port} in a group.
function targets.health(world, group_arn, input)
  local group = store.find(world:state("elbv2").groups, "arn", group_arn)
  return health_of(world, group and group.targets[key_of(group, input)])
end

local function show(world, group, target, input)
  local state, reason, description = health_of(world, target)
  local check_port = group.description.health_check_port
  local port = target and target.port or input.port or group.description.port
  return {
    target = { id = target and target.id or input.id, port = port, availability_zone = target and target.zone },
    health_check_port = target and (check_port == "traffic-port" and ("%d"):format(port) or check_port) or nil,
    target_health = { state = state, reason = reason, description = description },
    administrative_override = target and util.copy(facts.override) or nil,
  }
end

function operations.describe_target_health(world, input)
  local group = store.get(world, "groups", input.target_group_arn)
  local out = {}
  if input.targets and #input.targets > 0 then
    for index, wanted in ipairs(input.targets) do
      out[index] = show(world, group, group.targets[key_of(group, wanted)], wanted)
    end
    return { target_health_descriptions = out }
  end
  for _, target in util.sorted_pairs(group.targets) do
    out[#out + 1] = show(world, group, target)
  end
  return { target_health_descriptions = out }
end

local function refuse_bad_target(world, group, target)
  if group.description.target_type ~= "ip" then
    return
  end
  local ec2 = require "sim.ec2"
  if not ec2.is_ip(target.id) then
    world:fail("ValidationError", facts.errors.bad_ip:format(target.id))
  elseif not ec2.in_vpc(world, group.description.vpc_id, target.id) and target.availability_zone ~= "all" then
    world:fail("InvalidTarget", facts.errors.outside:format(target.id))
  end
end

function operations.register_targets(world, input)
  local group = store.get(world, "groups", input.target_group_arn)
  for _, target in ipairs(input.targets) do
    refuse_bad_target(world, group, target)
  end
  for _, target in ipairs(input.targets) do
    targets.register(world, group.arn, target)
  end
  return {}
end

function operations.deregister_targets(world, input)
  local group = store.get(world, "groups", input.target_group_arn)
  for _, target in ipairs(input.targets) do
    targets.deregister(world, group.arn, target)
  end
  return {}
end

return targets
