--- Deciding how to go back, and to what: the reading half of moonbook.rollback.
--
-- Uses: ecs.preflight, ecs.describe_services, ecs.list_service_deployments, ecs.describe_service_deployments,
-- ecs.describe_service_revisions, ecs.describe_task_definition, ecr.describe_images.

local by_deployment = require "moonbook.follow.by_deployment"
local changes = require "moonbook.explain.changes"
local history = require "moonbook.history"
local preflight = require "moonbook.preflight"
local rollout = require "moonbook.rollout"
local services = require "moonbook.services"
local target = require "moonbook.rollback.target"
local task_definitions = require "moonbook.task_definitions"

local planning = {}

-- ---- while a deployment is under way -------------------------------------------------------------

local ROLLING_BACK = { ROLLBACK_REQUESTED = true, ROLLBACK_IN_PROGRESS = true, STOP_REQUESTED = true }

-- What ECS will go back to, for display: what ECS reports in the end counts.
local function predicted(stack)
  local top = stack[#stack]
  return top and history.name(top.revision) or "what it last completed"
end

local function followed(entry, service)
  local primary = services.primary(service)
  return {
    arn = entry.arn,
    id = not ROLLING_BACK[entry.status] and primary and primary.id or nil,
    task_definition = entry.target and entry.target.task_definition,
    created_at = entry.created_at,
    known = {},
  }
end

local function plan_under_way(options, service, past, stack, entry)
  local record = entry.deployment or {}
  local plan = {
    started = followed(entry, service),
    desired_count = service.desired_count,
    from = entry.target and entry.target.task_definition,
    bad = entry.target,
    next = services.command("deploy/follow", options.cluster, options.service),
  }
  if ROLLING_BACK[entry.status] then
    plan.way = "attach"
    plan.changes = { ("Nothing: ECS is already rolling %s back; this run follows it to its end"):format(options.service) }
    return plan
  end
  if #(record.source_service_revisions or {}) == 0 or #stack == 0 then
    return {
      refuse = ("The deployment under way is the first of %s: there is nothing to go back to."):format(options.service),
      next = { services.command("rollback/scale_to_zero", options.cluster, options.service) .. " --action stop", services.command("history/service", options.cluster, options.service) },
    }
  end
  local hook = by_deployment.open_hook(record)
  plan.way, plan.hook = hook and "continue" or "stop", hook and hook.hook_id
  plan.changes = {
    ("Stops the deployment of %s to %s, %s, and has ECS go back to %s"):format(
      options.service,
      history.name(entry.target),
      hook and "which waits at a hook" or "which is under way",
      predicted(stack)
    ),
  }
  return plan
end

-- ---- when nothing is under way -------------------------------------------------------------------

-- Why the history is of no help.
local function no_history(options, past)
  if past.unreadable then
    return ("The history of %s could not be read: %s."):format(options.service, (past.unreadable:gsub("%.$", "")))
  elseif #past.entries > 0 then
    return ("No deployment of %s was ever complete: there is nothing to go back to."):format(options.service)
  end
  return ("ECS has no history of %s to go back in."):format(options.service)
end

local function plan_without_history(options, service, past)
  local found, missing = target.listed(service)
  if not found and options.allow_guess then
    found, missing = options.guess(service)
  end
  if found then
    return found
  end
  return nil, {
    refuse = no_history(options, past)
      .. (options.allow_guess and "" or " The revision before in its family is only taken with --allow-guess."),
    evidence = missing and { missing } or nil,
    next = { services.command("history/service", options.cluster, options.service), services.command("rollback/ecs", options.cluster, options.service) .. " --to FAMILY:REVISION" },
  }
end

-- The target, or nil and what plan() returns.
local function choose(options, service, past, stack)
  local place, conflict
  if #stack > 0 then
    place, conflict = target.first_place(service, past.entries, stack)
  end
  if options.to then
    local found, why = target.named(options.to, past, stack, place or #stack - 1, options.service)
    return found, not found and { refuse = why, next = services.command("history/service", options.cluster, options.service) } or nil
  elseif #stack == 0 then
    return plan_without_history(options, service, past)
  end
  if not place then
    return nil, { refuse = conflict, next = services.command("history/service", options.cluster, options.service) }
  end
  local found, notes = target.before(stack, place)
  if found then
    return found
  end
  return nil, {
    refuse = place == 0 and ("%s is the first version in the history of %s: there is nothing to go back to."):format(
      history.name(stack[1].revision),
      options.service
    ) or ("Nothing that ran before in %s can run again."):format(options.service),
    evidence = notes,
    next = { services.command("history/service", options.cluster, options.service), services.command("rollback/scale_to_zero", options.cluster, options.service) .. " --action stop" },
  }
end

-- What UpdateService sets besides the task definition, where it was another in a revision than it is now.
local function configuration(revision, current)
  local input = {}
  for _, field in ipairs(history.configuration_fields) do
    local value, present = revision[field], current and current[field]
    if value == nil and type(present) == "table" and #present > 0 then
      value = {} -- it has some now, and had none then
    end
    if value ~= nil and (present == nil or json.encode(value) ~= json.encode(present)) then
      input[field] = value
    end
  end
  return input
end

-- How to reach a target: the registration of a copy when the revision itself cannot be used as it is, and
-- what UpdateService takes.
local function means(options, service, found, current)
  local input = options.scope == "service" and configuration(found.revision, current) or {}
  local copy = nil
  if #found.stale > 0 then
    copy = task_definitions.pinned(task_definitions.registration(found.definition), found.digests)
  elseif found.inactive then
    copy = task_definitions.registration(found.definition)
  else
    input.task_definition = found.definition.task_definition_arn
    input.force_new_deployment = input.task_definition == service.task_definition or nil
  end
  return input, copy
end

local function who(definition)
  local by = definition.registered_by and definition.registered_by:match("([^/]+)$")
  return by and (" registered by %s"):format(by) or ""
end

-- What the operator reads before saying yes.
local function change_lines(options, service, found, copy, current)
  local lines = {
    ("Takes %s from %s back to %s%s"):format(
      options.service,
      current and history.name(current) or services.revision(service.task_definition),
      history.name(found.revision),
      who(found.definition)
    ),
  }
  if copy then
    lines[#lines + 1] = found.inactive and "Registers a copy of it first: the revision itself was deregistered"
      or ("Registers a copy pinned by digest first: the tag of %s means another image now"):format(
        table.concat(found.stale, ", ")
      )
  end
  for _, note in ipairs(found.notes or {}) do
    lines[#lines + 1] = "Note: " .. note
  end
  local before = task_definitions.read(service.task_definition)
  for _, line in ipairs(before and changes.of_definitions(before, found.definition) or {}) do
    lines[#lines + 1] = "  " .. line
  end
  return lines
end

-- What a target itself needs to run. Not what the service is in: its alarms may well be firing now.
local NEEDS = { "task_definition", "roles", "secrets", "logs" }

-- What plan() returns when what would be gone back to cannot run, else nil.
local function refuse_by_preflight(options, service, found, copy)
  if options.preflight == false then
    return nil
  end
  local failing = preflight.failing(preflight.checks {
    cluster = options.cluster, service = service, task_definition = copy or found.definition, only = NEEDS,
  })
  if #failing == 0 then
    return nil
  end
  local lines = {}
  for index, entry in ipairs(failing) do
    lines[index] = preflight.line(entry)
  end
  return {
    refuse = ("%s would not come up: %s. Nothing was written; --preflight false goes back all the same."):format(
      history.name(found.revision),
      lines[1]
    ),
    evidence = lines,
    next = services.command("history/service", options.cluster, options.service),
  }
end

local function plan_update(options, service, past, stack)
  local found, refused = choose(options, service, past, stack)
  if not found then
    return refused
  end
  local newest = past.entries[1]
  local top = stack[#stack]
  local current = newest and newest.status ~= "SUCCESSFUL" and newest.status ~= "ROLLBACK_SUCCESSFUL" and newest.target
    or top and top.revision
  local same = current and history.content(current, options.scope or "task")
    == history.content(found.revision, options.scope or "task")
  if same and newest and not history.over[newest.status] and not ROLLING_BACK[newest.status] then
    return {
      refuse = ("%s is being moved to %s already."):format(options.service, history.name(found.revision)),
      next = services.command("deploy/follow", options.cluster, options.service),
    }
  end
  local settled = newest and (newest.status == "SUCCESSFUL" or newest.status == "ROLLBACK_SUCCESSFUL")
  if same and settled then
    return { nothing_to_do = ("%s runs %s already."):format(options.service, history.name(found.revision)) }
  end
  local input, copy = means(options, service, found, current)
  local unfit = refuse_by_preflight(options, service, found, copy)
  if unfit then
    return unfit
  end
  return {
    way = "update",
    mark = rollout.mark(service),
    desired_count = service.desired_count,
    input = input,
    registration = copy,
    digests = found.digests,
    goes_to = history.name(found.revision),
    bad = current,
    changes = change_lines(options, service, found, copy, current),
    next = services.command("deploy/follow", options.cluster, options.service),
  }
end

-- ---- deciding ----------------------------------------------------------------------------------------

-- CodeDeploy and external controllers keep their own history.
local function refuse_controller(options, service)
  local ok, why = services.followable(service)
  if ok then
    return nil
  end
  local controller = service.deployment_controller and service.deployment_controller.type
  local ways = {
    CODE_DEPLOY = ("aws deploy list-deployments shows its deployments; aws deploy stop-deployment "
      .. "--auto-rollback-enabled stops one and goes back"),
    EXTERNAL = "ask whatever deploys it: ecs describe-task-sets shows its task sets",
  }
  return { refuse = why, next = ways[controller] }
end

local function read(options)
  local service, why = services.active(options.cluster, options.service)
  if not service then
    return nil, { refuse = why }
  end
  local refused = refuse_controller(options, service)
  if refused then
    return nil, refused
  end
  local past, unreadable = history.read { cluster = options.cluster, service = options.service }
  if not past then
    log.warn(unreadable)
    past = { entries = {}, revisions = {}, unreadable = unreadable }
  end
  return service, nil, past, history.stack(past.entries, options.scope or "task")
end

--- Decides how to go back, and to what: { cluster, service, to, scope = "task" | "service", allow_guess, guess =
-- the function of moonbook.rollback.guess }.
-- Only reads. Gives what plan() of a runbook returns: `refuse`, `nothing_to_do`, or { way, changes, ... } for
-- rollback.apply.
function planning.decide(options)
  local service, refused, past, stack = read(options)
  if not service then
    return refused
  end
  local entry = history.under_way(past.entries)
  if entry and not options.to then
    return plan_under_way(options, service, past, stack, entry)
  end
  return plan_update(options, service, past, stack)
end

return planning
