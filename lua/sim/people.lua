--- What people and AWS do to a service while it runs, for scenarios and specs: where the ids of tasks,
-- deployments and listeners cannot be known when the scenario is written.

local arguments = require "sim.arguments"
local build = require "sim.build"

local people = {}

local function named(what, args, more)
  args = arguments.check(what, args, arguments.set("service cluster " .. (more or "")))
  local name = arguments.need(what, args, "service")
  return args, args.cluster or name, name
end

-- The ARNs of the service's tasks that are to run, the newest first, at most `count`.
local function tasks_of(world, cluster, name, count)
  local arns = build.call(world, "ecs", "list_tasks", { cluster = cluster, service_name = name }).task_arns
  if #arns == 0 then
    return {}
  end
  local tasks = build.call(world, "ecs", "describe_tasks", { cluster = cluster, tasks = arns }).tasks
  table.sort(tasks, function(a, b)
    return a.created_at > b.created_at or a.created_at == b.created_at and a.task_arn < b.task_arn
  end)
  local out = {}
  for index = 1, math.min(count or #tasks, #tasks) do
    out[index] = tasks[index].task_arn
  end
  return out
end

--- Somebody stops tasks of a service, the newest first: { service, cluster, count, reason }.
function people.stop_tasks(world, args)
  local cluster, name
  args, cluster, name = named("stop_tasks", args, "count reason")
  for _, arn in ipairs(tasks_of(world, cluster, name, args.count)) do
    build.call(world, "ecs", "stop_task", { cluster = cluster, task = arn, reason = args.reason })
  end
end

--- All tasks of a service protect themselves from scale-in, for an hour: { service, cluster }.
function people.protect_tasks(world, args)
  local _, cluster, name = named("protect_tasks", args)
  build.call(world, "ecs", "update_task_protection", {
    cluster = cluster, tasks = tasks_of(world, cluster, name), protection_enabled = true, expires_in_minutes = 60,
  })
end

--- Fargate Spot takes tasks of a service back, the newest first: { service, cluster, count }.
function people.interrupt_tasks(world, args)
  local cluster, name
  args, cluster, name = named("interrupt_tasks", args, "count")
  for _, arn in ipairs(tasks_of(world, cluster, name, args.count)) do
    require("sim.ecs").interrupt(world, arn)
  end
end

-- The ARN of a service's newest service deployment.
local function newest(world, what, cluster, name)
  local list = build.call(world, "ecs", "list_service_deployments", { cluster = cluster, service = name })
  local first = list.service_deployments[1]
  return first and first.service_deployment_arn or error(("%s: service %s has no deployments"):format(what, name), 0)
end

--- Somebody has the newest deployment of a service rolled back: { service, cluster }.
function people.stop_deployment(world, args)
  local _, cluster, name = named("stop_deployment", args)
  build.call(world, "ecs", "stop_service_deployment", {
    service_deployment_arn = newest(world, "stop_deployment", cluster, name), stop_type = "ROLLBACK",
  })
end

local function waiting_hook(world, arn)
  local found = build.call(world, "ecs", "describe_service_deployments", { service_deployment_arns = { arn } })
  for _, hook in ipairs(found.service_deployments[1].lifecycle_hook_details or {}) do
    if hook.status == "AWAITING_ACTION" then
      return hook.hook_id
    end
  end
  error("continue_deployment: no hook of the deployment waits for an action", 0)
end

--- Somebody answers the pause hook that waits: { service, cluster, action = "CONTINUE" or "ROLLBACK" }.
function people.continue_deployment(world, args)
  local cluster, name
  args, cluster, name = named("continue_deployment", args, "action")
  local arn = newest(world, "continue_deployment", cluster, name)
  build.call(world, "ecs", "continue_service_deployment", {
    service_deployment_arn = arn, hook_id = waiting_hook(world, arn), action = args.action,
  })
end

local function target_group(world, name)
  return build.call(world, "elbv2", "describe_target_groups", { names = { name } }).target_groups[1]
end

--- Somebody changes the health check of a target group: { name, path, port, matcher }.
function people.change_health_check(world, args)
  args = arguments.check("change_health_check", args, arguments.set "name path port matcher")
  build.call(world, "elbv2", "modify_target_group", {
    target_group_arn = target_group(world, arguments.need("change_health_check", args, "name")).target_group_arn,
    health_check_path = args.path, health_check_port = args.port and ("%d"):format(args.port),
    matcher = args.matcher and { http_code = args.matcher } or nil,
  })
end

--- Somebody deletes the listeners of a load balancer, so that its target groups get no traffic: { name }.
function people.remove_listeners(world, args)
  args = arguments.check("remove_listeners", args, arguments.set "name")
  local balancer = build.call(world, "elbv2", "describe_load_balancers",
    { names = { arguments.need("remove_listeners", args, "name") } }).load_balancers[1]
  local found = build.call(world, "elbv2", "describe_listeners", { load_balancer_arn = balancer.load_balancer_arn })
  for _, listener in ipairs(found.listeners) do
    build.call(world, "elbv2", "delete_listener", { listener_arn = listener.listener_arn })
  end
end

return people
