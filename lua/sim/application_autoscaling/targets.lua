--- Operations on scalable targets and scheduled actions.

local activities = require "sim.application_autoscaling.activities"
local facts = require "sim.facts.application_autoscaling"
local policies = require "sim.application_autoscaling.policies"
local schedule = require "sim.application_autoscaling.schedule"
local store = require "sim.application_autoscaling.store"
local util = require "sim.util"

local targets, operations, handlers = {}, {}, {}

-- ---- targets -------------------------------------------------------------------------------------

local function check_capacity(world, known, input)
  local low = input.min_capacity or known and known.low
  local high = input.max_capacity or known and known.high
  if not low or not high then
    world:fail("ValidationException", facts.texts.capacity_needed)
  elseif high < low then
    world:fail("ValidationException", facts.texts.capacity_order)
  end
  return low, high
end

local function service_role(world)
  return ("arn:aws:iam::%s:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/"
    .. "AWSServiceRoleForApplicationAutoScaling_ECSService"):format(world.data.account)
end

local function new_target(world, input)
  return {
    resource = input.resource_id, created = world:now(), role = service_role(world),
    arn = world:arn("application-autoscaling", "scalable-target/" .. world:id(32)), suspended = {}, tags = {},
  }
end

function operations.register_scalable_target(world, input)
  store.check_kind(world, input)
  local known = store.find(world, input.resource_id)
  local low, high = check_capacity(world, known, input)
  if not store.service(world, input.resource_id) then
    world:fail("ValidationException", facts.texts.resource:format(input.resource_id))
  end
  local target = known or new_target(world, input)
  local changed = { low = low ~= target.low, high = high ~= target.high }
  target.low, target.high, target.role = low, high, input.role_arn or target.role
  for key, value in util.sorted_pairs(input.suspended_state or {}) do
    target.suspended[key] = value
  end
  for key, value in util.sorted_pairs(not known and input.tags or {}) do
    target.tags[key] = value
  end
  world:state("application_autoscaling").targets[target.resource] = target
  if changed.low or changed.high then
    world:after(facts.durations.bounds, "application_autoscaling.bounds", { resource = target.resource })
  end
  require("sim.cloudwatch").wake(world)
  return { scalable_target_arn = target.arn }
end

-- A changed minimum or maximum moves a desired count that is outside.
function handlers.bounds(world, args)
  local target = store.find(world, args.resource)
  local service = target and store.service(world, args.resource)
  if not service then
    return
  elseif service.desired < target.low then
    activities.set(world, args.resource, target.low, facts.texts.cause_minimum:format(target.low))
  elseif service.desired > target.high then
    activities.set(world, args.resource, target.high, facts.texts.cause_maximum:format(target.high))
  end
end

function operations.deregister_scalable_target(world, input)
  local target = store.required(world, input)
  policies.forget(world, target.resource)
  local state, kept = world:state("application_autoscaling"), {}
  for _, action in ipairs(state.scheduled) do
    if action.resource ~= target.resource then
      kept[#kept + 1] = action
    end
  end
  state.scheduled, state.targets[target.resource] = kept, nil
end

local function suspended_state(target)
  return {
    dynamic_scaling_in_suspended = target.suspended.dynamic_scaling_in_suspended or false,
    dynamic_scaling_out_suspended = target.suspended.dynamic_scaling_out_suspended or false,
    scheduled_scaling_suspended = target.suspended.scheduled_scaling_suspended or false,
  }
end

function operations.describe_scalable_targets(world, input)
  local list, wanted = {}, input.resource_ids
  for resource, target in util.sorted_pairs(world:state("application_autoscaling").targets) do
    if input.service_namespace == "ecs" and (not wanted or not wanted[1] or util.holds(wanted, resource)) then
      list[#list + 1] = store.named(resource, {
        min_capacity = target.low, max_capacity = target.high, role_arn = target.role,
        creation_time = target.created, suspended_state = suspended_state(target), scalable_target_arn = target.arn,
      })
    end
  end
  local page, token = world:page(list, input.next_token, input.max_results or 50, "InvalidNextTokenException")
  return { scalable_targets = page, next_token = token }
end

-- ---- tags ----------------------------------------------------------------------------------------

local function by_arn(world, arn)
  for _, target in util.sorted_pairs(world:state("application_autoscaling").targets) do
    if target.arn == arn then
      return target
    end
  end
  world:fail("ResourceNotFoundException", ("The resource %s doesn't exist."):format(arn)) -- I
end

function operations.list_tags_for_resource(world, input)
  return { tags = util.copy(by_arn(world, input.resource_arn).tags) }
end

function operations.tag_resource(world, input)
  local target = by_arn(world, input.resource_arn)
  for key, value in util.sorted_pairs(input.tags) do
    target.tags[key] = value
  end
end

function operations.untag_resource(world, input)
  local target = by_arn(world, input.resource_arn)
  for _, key in ipairs(input.tag_keys) do
    target.tags[key] = nil
  end
end

-- ---- scheduled actions ---------------------------------------------------------------------------

local function find_action(world, resource, name)
  for index, action in ipairs(world:state("application_autoscaling").scheduled) do
    if action.resource == resource and action.name == name then
      return action, index
    end
  end
end

function operations.put_scheduled_action(world, input)
  local target = store.required(world, input, "target_missing")
  local change = input.scalable_target_action
  if not change or not change.min_capacity and not change.max_capacity then
    world:fail("ValidationException", facts.texts.schedule_action)
  elseif not input.schedule or not schedule.is_known(input.schedule, input.timezone) then
    world:fail("ValidationException", facts.texts.schedule:format(tostring(input.schedule or input.timezone)))
  end
  local known, index = find_action(world, target.resource, input.scheduled_action_name)
  local action = {
    resource = target.resource, name = input.scheduled_action_name, schedule = input.schedule,
    timezone = input.timezone, first = input.start_time, last = input.end_time, change = util.copy(change),
    created = known and known.created or world:now(), id = known and known.id or world:uuid(), seen = world:now(),
  }
  local list = world:state("application_autoscaling").scheduled
  list[index or #list + 1] = action
  require("sim.cloudwatch").wake(world)
end

function operations.delete_scheduled_action(world, input)
  store.check_kind(world, input)
  local _, index = find_action(world, input.resource_id, input.scheduled_action_name)
  if not index then
    world:fail("ObjectNotFoundException",
      facts.texts.action_missing:format(input.resource_id, input.scheduled_action_name))
  end
  table.remove(world:state("application_autoscaling").scheduled, index)
end

function operations.describe_scheduled_actions(world, input)
  local list, names = {}, input.scheduled_action_names
  for _, action in ipairs(world:state("application_autoscaling").scheduled) do
    if (not input.resource_id or action.resource == input.resource_id)
      and (not names or not names[1] or util.holds(names, action.name)) then
      list[#list + 1] = store.named(action.resource, {
        scheduled_action_name = action.name, schedule = action.schedule, timezone = action.timezone,
        start_time = action.first, end_time = action.last, creation_time = action.created,
        scalable_target_action = util.copy(action.change),
        scheduled_action_arn = ("arn:aws:autoscaling:%s:%s:scheduledAction:%s:resource/ecs/%s:scheduledActionName/%s")
          :format(world.data.region, world.data.account, action.id, action.resource, action.name),
      })
    end
  end
  local page, token = world:page(list, input.next_token, input.max_results or 50, "InvalidNextTokenException")
  return { scheduled_actions = page, next_token = token }
end

--- Does the scheduled actions that have come due since they were last looked at.
function targets.scheduled(world)
  for _, action in ipairs(world:state("application_autoscaling").scheduled) do
    local target = store.find(world, action.resource)
    local due = schedule.is_due(action, world:now())
    action.seen = world:now()
    if due and target and not target.suspended.scheduled_scaling_suspended then
      target.low = action.change.min_capacity or target.low
      target.high = math.max(action.change.max_capacity or target.high, target.low)
      world:after(0, "application_autoscaling.bounds", { resource = target.resource })
    end
  end
end

targets.operations, targets.handlers = operations, handlers
return targets
