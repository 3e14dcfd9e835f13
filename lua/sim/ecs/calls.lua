--- Operations on tasks: run, stop, list, describe, execute a command.

local clusters = require "sim.ecs.clusters"
local containers = require "sim.ecs.containers"
local definitions = require "sim.ecs.definitions"
local names = require "sim.ecs.names"
local services = require "sim.ecs.services"
local stopping = require "sim.ecs.stopping"
local tasks = require "sim.ecs.tasks"
local texts = require "sim.facts.texts"
local util = require "sim.util"
local wake = require "sim.ecs.wake"

local calls = { operations = {}, handlers = {} }
local operations = calls.operations

local page_limit, describe_limit, run_limit = 100, 100, 10

local function show(task, include)
  local out = {}
  for name, value in util.sorted_pairs(task.view) do
    out[name] = value
  end
  out.tags = util.holds(include, "TAGS") and task.tags or {}
  return out
end

-- ---- running -------------------------------------------------------------------------------------

local function run_config(world, input)
  if input.launch_type and input.capacity_provider_strategy then
    texts.fail(world, "launch_and_strategy")
  end
  local cluster = names.cluster(world, input.cluster)
  local strategy = input.capacity_provider_strategy
  if not input.launch_type and not strategy and #cluster.strategy > 0 then
    strategy = cluster.strategy
  end
  clusters.check_strategy(world, strategy)
  local definition = definitions.usable(world, input.task_definition)
  local fargate = input.launch_type == "FARGATE" or strategy
  if fargate and not util.holds(definition.compatibilities, "FARGATE") then
    texts.fail(world, "launch_type", { type = "FARGATE" })
  end
  services.check_network(world, input.network_configuration, definition)
  return cluster, definition, strategy, fargate
end

-- Why a task cannot be placed: RunTask says so in its failures.
local function obstacle(world, fargate, group)
  if not fargate then
    return "RESOURCE:*"
  end
  local fault = require("sim.faults").get(world, "capacity", group)
  return fault and texts.fill(texts.placement[fault] or texts.placement.unavailable, {})
end

local function check_overrides(world, overrides, definition)
  for _, item in ipairs(overrides and overrides.container_overrides or {}) do
    local known = false
    for _, container in ipairs(definition.container_definitions) do
      known = known or container.name == item.name
    end
    if not known then
      texts.fail(world, "container_unknown", { name = tostring(item.name) })
    end
  end
end

function operations.run_task(world, input)
  local count = input.count or 1
  if count < 1 or count > run_limit then
    texts.fail(world, "task_count")
  end
  local cluster, definition, strategy, fargate = run_config(world, input)
  check_overrides(world, input.overrides, definition)
  local started, failed = {}, {}
  local problem = obstacle(world, fargate, definition.family)
  for _ = 1, problem and 0 or count do
    local task, why = tasks.create(world, {
      cluster = cluster.name, definition = definition, group = input.group or "family:" .. definition.family,
      started_by = input.started_by, network = input.network_configuration, overrides = input.overrides,
      capacity_provider = strategy and strategy[1].capacity_provider,
      enable_execute_command = input.enable_execute_command,
      tags = input.propagate_tags == "TASK_DEFINITION" and definitions.find(world, input.task_definition).tags
        or input.tags,
    })
    if not task then
      problem = why
      break
    end
    started[#started + 1] = show(task, { "TAGS" })
  end
  if problem then
    failed[1] = { reason = problem }
  end
  return { tasks = started, failures = failed }
end

--- Fargate has no container instances to start tasks on.
function operations.start_task(world, input)
  local cluster = names.cluster(world, input.cluster)
  definitions.usable(world, input.task_definition)
  local failed = {}
  for index, text in ipairs(input.container_instances) do
    failed[index] = {
      arn = world:arn("ecs", ("container-instance/%s/%s"):format(cluster.name, util.last_part(text))),
      reason = "MISSING",
    }
  end
  return { tasks = {}, failures = failed }
end

-- ---- stopping ------------------------------------------------------------------------------------

function operations.stop_task(world, input)
  local task = names.find_task(world, input.cluster, input.task)
  if not task then
    texts.fail(world, "task_missing")
  end
  if task.view.desired_status == "RUNNING" then
    stopping.tell(world, { task }, {
      code = "UserInitiated", reason = input.reason or texts.fill(texts.stopped.user, {}),
    })
  end
  return { task = show(task) }
end

-- ---- reading -------------------------------------------------------------------------------------

local function task_matches(task, input, group)
  local view = task.view
  return view.desired_status == (input.desired_status or "RUNNING")
    and (not group or view.group == group)
    and (not input.family or view.task_definition_arn:match("/([^/:]+):%d+$") == input.family)
    and (not input.started_by or view.started_by == input.started_by)
    and (not input.launch_type or view.launch_type == input.launch_type)
    and not input.container_instance
end

function operations.list_tasks(world, input)
  local cluster, group = names.cluster(world, input.cluster), nil
  if input.service_name then
    local service = names.service(world, input.cluster, input.service_name)
    group = "service:" .. service.name
  end
  local state, arns = world:state("ecs"), {}
  for _, id in ipairs(cluster.tasks) do
    if task_matches(state.tasks[id], input, group) then
      arns[#arns + 1] = state.tasks[id].view.task_arn
    end
  end
  local page, token = clusters.page(world, arns, input, page_limit)
  return { task_arns = page, next_token = token }
end

function operations.describe_tasks(world, input)
  if #input.tasks == 0 then
    texts.fail(world, "tasks_empty")
  elseif #input.tasks > describe_limit then
    texts.fail(world, "tasks_many")
  end
  local found, missing = {}, {}
  for _, text in ipairs(input.tasks) do
    local task, cluster = names.find_task(world, input.cluster, text)
    if task then
      found[#found + 1] = show(task, input.include)
    else
      missing[#missing + 1] = {
        arn = world:arn("ecs", ("task/%s/%s"):format(cluster.name, util.last_part(text))), reason = "MISSING",
      }
    end
  end
  return { tasks = found, failures = missing }
end

-- ---- protection ----------------------------------------------------------------------------------

local usual_protection, longest_protection = 120, 2880 -- minutes; D

local function show_protection(world, task)
  local on = task.protected_until ~= nil and task.protected_until > world:now()
  return {
    task_arn = task.view.task_arn, protection_enabled = on, expiration_date = on and task.protected_until or nil,
  }
end

-- Does something with each of the tasks that belong to a service; the others are failures.
local function each_protectable(world, input, list, fn)
  local cluster = names.cluster(world, input.cluster)
  local shown, failed = {}, {}
  for _, text in ipairs(list) do
    local task = names.find_task(world, input.cluster, text)
    if task and task.service and task.view.desired_status == "RUNNING" then
      fn(task)
      shown[#shown + 1] = show_protection(world, task)
    else
      failed[#failed + 1] = {
        arn = task and task.view.task_arn
          or world:arn("ecs", ("task/%s/%s"):format(cluster.name, util.last_part(text))),
        reason = task and "TASK_NOT_VALID" or "MISSING",
      }
    end
  end
  return { protected_tasks = shown, failures = failed }
end

function operations.update_task_protection(world, input)
  local minutes = input.expires_in_minutes or usual_protection
  if minutes < 1 or minutes > longest_protection then
    texts.fail(world, "protection", { high = tostring(longest_protection) })
  end
  return each_protectable(world, input, input.tasks, function(task)
    task.protected_until = input.protection_enabled and world:now() + minutes * 60 or nil
  end)
end

function operations.get_task_protection(world, input)
  local list = input.tasks
  if not list or #list == 0 then
    list = {}
    for _, id in ipairs(names.cluster(world, input.cluster).tasks) do
      local task = world:state("ecs").tasks[id]
      if task.service and task.view.desired_status == "RUNNING" then
        list[#list + 1] = task.view.task_arn
      end
    end
  end
  return each_protectable(world, input, list, function() end)
end

--- There is nothing to open a session to: refused as ECS does when the agent cannot be reached.
function operations.execute_command(world, input)
  local task = names.find_task(world, input.cluster, input.task)
  if not task then
    texts.fail(world, "task_missing")
  elseif input.container and not containers.find(world, task, input.container) then
    texts.fail(world, "container_unknown", { name = input.container })
  elseif not task.view.enable_execute_command then
    texts.fail(world, "exec_disabled")
  end
  texts.fail(world, "not_connected")
end

-- ---- for other services and scenarios ------------------------------------------------------------

--- Behaviours were set or taken back: running containers follow.
function calls.behaviour_changed(world)
  local state = world:state("ecs")
  for _, cluster in util.sorted_pairs(state.clusters) do
    for _, id in ipairs(cluster.tasks) do
      local task = state.tasks[id]
      if task.up_at and task.view.desired_status == "RUNNING" then
        containers.replan(world, task)
      end
    end
  end
end

--- Fargate Spot takes a task back.
function calls.interrupt(world, id)
  local task = world:state("ecs").tasks[util.last_part(id)]
  if task and task.view.desired_status == "RUNNING" then
    stopping.tell(world, { task }, {
      code = "SpotInterruption", reason = texts.fill(texts.stopped.spot, {}),
    })
    local service = task.service and world:state("ecs").services[task.service]
    if service then
      wake.in_about(world, service, "lost_task_reaction")
    end
  end
end

return calls
