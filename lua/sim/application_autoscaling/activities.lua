--- Scaling activities: setting a desired count, and the record of it.

local facts = require "sim.facts.application_autoscaling"
local store = require "sim.application_autoscaling.store"
local util = require "sim.util"

local activities, operations, handlers = {}, {}, {}

local function note(world, resource, activity)
  local list = world:state("application_autoscaling").activities
  activity.activity_id, activity.start_time = world:uuid(), world:now()
  list[#list + 1] = store.named(resource, activity)
  while list[1].start_time < world:now() - facts.durations.history do
    table.remove(list, 1)
  end
  return activity
end

-- ECS's side: raises what UpdateService would.
local function set_count(world, resource, count)
  local cluster, service = store.service_of(resource)
  local ok, problem = pcall(require("sim.ecs").set_desired_count, world, cluster, service, count)
  if ok then
    return nil
  elseif type(problem) == "table" and problem.sim_failure then
    return problem.message
  end
  error(problem, 0)
end

--- Sets the desired count of a resource's service, for a cause. True when ECS took it.
function activities.set(world, resource, count, cause)
  local activity = note(world, resource, { description = facts.texts.setting:format(count), cause = cause })
  local problem = set_count(world, resource, count)
  if problem then
    activity.status_code, activity.end_time = "Failed", world:now()
    activity.status_message = facts.texts.failed:format(count, problem)
    return false
  end
  activity.status_code, activity.status_message = "InProgress", facts.texts.waiting:format(count)
  world:after(world:about(facts.durations.activity, 0.05), "application_autoscaling.fulfilled",
    { id = activity.activity_id, count = count })
  return true
end

function handlers.fulfilled(world, args)
  for _, activity in ipairs(world:state("application_autoscaling").activities) do
    if activity.activity_id == args.id then
      activity.status_code, activity.end_time = "Successful", world:now()
      activity.status_message = facts.texts.fulfilled:format(args.count)
    end
  end
end

--- Notes that an alarm asked for scaling and nothing was done, once until the reason is another.
function activities.not_scaled(world, target, cause, reason)
  if target.not_scaled == reason.code then
    return
  end
  target.not_scaled = reason.code
  note(world, target.resource, {
    description = facts.texts.attempt, cause = cause, status_code = "Failed", end_time = world:now(),
    not_scaled_reasons = { reason },
  })
end

function operations.describe_scaling_activities(world, input)
  store.check_kind(world, input)
  local all, list = world:state("application_autoscaling").activities, {}
  for index = #all, 1, -1 do
    local activity = all[index]
    if (not input.resource_id or activity.resource_id == input.resource_id)
      and (input.include_not_scaled_activities or not activity.not_scaled_reasons) then
      list[#list + 1] = util.copy(activity)
    end
  end
  local page, token = world:page(list, input.next_token, input.max_results or 50, "InvalidNextTokenException")
  return { scaling_activities = page, next_token = token }
end

activities.operations, activities.handlers = operations, handlers
return activities
