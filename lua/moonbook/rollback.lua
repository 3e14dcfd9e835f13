--- Going back to what really ran: the algorithm of rollback/ecs, and the undo of deployments
-- (spec/rollback-and-wait 3.4).
--
-- plan() reads and decides, apply() writes inside steps, verify() proves. Four ways:
--   attach    ECS is rolling back already: nothing is written, it is followed
--   stop      a deployment is under way: ECS is asked to stop it and go back, to what it chooses itself
--   continue  it waits at a hook: the hook is answered with ROLLBACK
--   update    nothing is under way: the service is updated to what ran before
--
-- Uses: ecs.preflight, ecs.describe_services, ecs.list_service_deployments, ecs.describe_service_deployments,
-- ecs.describe_service_revisions, ecs.describe_task_definition, ecs.register_task_definition,
-- ecs.update_service, ecs.stop_service_deployment, ecs.continue_service_deployment, ecs.tag_resource,
-- ecs.follow_deployment, ecs.explain, ecs.list_task_definitions, ecr.describe_images, and prove's.

local changes = require "moonbook.explain.changes"
local deployment = require "moonbook.deployment"
local history = require "moonbook.history"
local patience = require "moonbook.patience"
local preflight = require "moonbook.preflight"
local prove = require "moonbook.prove"
local rollout = require "moonbook.rollout"
local services = require "moonbook.services"
local target = require "moonbook.rollback.target"
local task_definitions = require "moonbook.task_definitions"
local verdict = require "moonbook.verdict"

local rollback = {}

local function command(name, options)
  return ("moonbook run %s --cluster %s --service %s"):format(name, options.cluster, options.service)
end

-- ---- while a deployment is under way -------------------------------------------------------------

local ROLLING_BACK = { ROLLBACK_REQUESTED = true, ROLLBACK_IN_PROGRESS = true, STOP_REQUESTED = true }

local function open_hook(record)
  for _, hook in ipairs(record.lifecycle_hook_details or {}) do
    if hook.status == "AWAITING_ACTION" then
      return hook
    end
  end
end

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
    next = command("deploy/follow", options),
  }
  if ROLLING_BACK[entry.status] then
    plan.way = "attach"
    plan.changes = { ("Nothing: ECS is already rolling %s back; this run follows it to its end"):format(options.service) }
    return plan
  end
  if #(record.source_service_revisions or {}) == 0 or #stack == 0 then
    return {
      refuse = ("The deployment under way is the first of %s: there is nothing to go back to."):format(options.service),
      next = { command("rollback/scale_to_zero", options) .. " --action stop", command("history/service", options) },
    }
  end
  local hook = open_hook(record)
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
    next = { command("history/service", options), command("rollback/ecs", options) .. " --to FAMILY:REVISION" },
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
    return found, not found and { refuse = why, next = command("history/service", options) } or nil
  elseif #stack == 0 then
    return plan_without_history(options, service, past)
  end
  if not place then
    return nil, { refuse = conflict, next = command("history/service", options) }
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
    next = { command("history/service", options), command("rollback/scale_to_zero", options) .. " --action stop" },
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
    next = command("history/service", options),
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
      next = command("deploy/follow", options),
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
    next = command("deploy/follow", options),
  }
end

-- ---- plan ----------------------------------------------------------------------------------------

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
function rollback.plan(options)
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

-- ---- apply ---------------------------------------------------------------------------------------

-- The outcomes of a deployment that was to be rolled back which mean that it was.
local GONE_BACK = { rolled_back = true, stopped = true }

local function back_again(options, ended)
  local record, primary = ended.service_deployment, services.primary(ended.service)
  local restored = record and record.rollback and record.rollback.service_revision_arn
  local revision = restored and history.revisions({ restored })[restored]
  local digests = {}
  for name, image in pairs(revision and history.images(revision) or {}) do
    digests[name] = image.digest
  end
  return {
    verdict = "done",
    message = ("%s is back on %s."):format(
      options.service,
      revision and history.name(revision) or services.revision(primary.task_definition)
    ),
    digests = digests,
    gone_back = true,
    primary = primary.id,
    primary_created_at = primary.created_at,
    next = command("validate/service", options),
  }
end

-- Follows a rollback by ECS. nil when the deployment was completed before it could be stopped.
local function follow_back(options, plan)
  local ended = step("Follow ECS going back", function()
    return rollout.follow { cluster = options.cluster, service = options.service, started = plan.started, wait = options.wait }
  end)
  if GONE_BACK[ended.outcome] and ended.service then
    return back_again(options, ended)
  elseif ended.outcome == "completed" then
    return nil
  end
  return verdict.of(ended)
end

-- A refusal because it is over by itself is no failure: how it ended is seen next.
local function unless_over(primitive, args)
  local answer, err = patience.attempt_write(primitive, args)
  if not answer and err.code ~= "ConflictException" then
    error(err, 0)
  end
end

local ways = {}

function ways.attach(options, plan)
  return follow_back(options, plan)
end

function ways.stop(options, plan)
  step("Have ECS stop the deployment and go back", function()
    unless_over(ecs.stop_service_deployment, {
      service_deployment_arn = plan.started.arn, stop_type = "ROLLBACK",
    })
  end)
  return follow_back(options, plan)
end

ways["continue"] = function(options, plan)
  step("Answer the hook with ROLLBACK", function()
    unless_over(ecs.continue_service_deployment, {
      service_deployment_arn = plan.started.arn, hook_id = plan.hook, action = "ROLLBACK",
    })
  end)
  return follow_back(options, plan)
end

function ways.update(options, plan)
  local input = plan.input
  if plan.registration then
    local arn = step("Register a copy of what it goes back to", function()
      return rollout.register(plan.registration)
    end)
    input = {}
    for name, value in pairs(plan.input) do
      input[name] = value
    end
    input.task_definition = arn
  end
  local started, ending
  step("Move the service back", function()
    started, ending = rollout.write { cluster = options.cluster, service = options.service, mark = plan.mark, input = input }
  end)
  if not started then
    return ending
  end
  local ended = step("Follow it to its end", function()
    return rollout.follow { cluster = options.cluster, service = options.service, started = started, wait = options.wait }
  end)
  local result = verdict.of(ended)
  if ended.outcome == "completed" then
    result.digests = plan.digests
    result.gone_back = true
    result.primary, result.primary_created_at = started.id, started.created_at
    result.message = ("%s is back on %s."):format(options.service, plan.goes_to)
    result.next = command("validate/service", options)
  end
  return result
end

-- Marks what was gone back from, so that no later rollback takes it for good. Failing to is no failure.
local function mark_bad(options, plan)
  local bad = plan.bad
  if not bad or not bad.task_definition then
    return
  end
  local digest
  for _, image in pairs(history.images(bad)) do
    digest = image.digest or digest
  end
  step("Mark what it went back from", function()
    local answer, err = patience.attempt_write(ecs.tag_resource, {
      resource_arn = bad.task_definition,
      tags = { { key = target.BAD, value = target.mark_value(digest, now(), options.run or "moonbook") } },
    })
    if not answer then
      log.warn(("%s could not be marked: %s"):format(services.revision(bad.task_definition), tostring(err)))
    end
  end)
end

--- Goes back as planned, in steps: `options` as for rollback.plan, with wait = seconds and run = the run's id.
-- Gives what apply() of a runbook returns.
function rollback.apply(options, plan)
  local result = ways[plan.way](options, plan)
  if not result then
    log.warn("the deployment was completed before it could be stopped; going back from it")
    local again = rollback.plan(options)
    if again.refuse or again.nothing_to_do then
      return { verdict = "failed", message = again.refuse or again.nothing_to_do, evidence = again.evidence, next = again.next }
    end
    plan = again
    result = ways[again.way](options, again)
      or { verdict = "failed", message = ("%s was deployed again while it was rolled back."):format(options.service) }
  end
  if result.gone_back and plan.way ~= "attach" then -- then nothing is written
    mark_bad(options, plan)
  end
  result.desired_count = plan.desired_count
  return result
end

-- ---- verify --------------------------------------------------------------------------------------

--- Proves what runs after rollback.apply: gives what verify() of a runbook returns.
function rollback.verify(options, applied)
  local service, why = deployment.settled(options.cluster, options.service, {
    id = applied.primary, created_at = applied.primary_created_at, earlier = {},
  })
  if not check("service is active", service ~= nil, why) then
    return
  end
  local primary = services.primary(service)
  if primary and primary.id ~= applied.primary then
    return {
      verdict = "superseded",
      message = ("%s was rolled back, but another deployment, %s (%s), has taken its place since."):format(
        options.service,
        primary.id,
        services.revision(primary.task_definition)
      ),
      next = command("deploy/follow", options),
    }
  end
  local wanted = service.desired_count
  if wanted == 0 and applied.desired_count == 0 then
    return { message = applied.message .. " It is scaled to zero: nothing runs, and so nothing is proved." }
  end
  check(
    "desired tasks run",
    wanted > 0 and service.running_count == wanted,
    wanted == 0 and "it was scaled to zero meanwhile" or services.counts(service)
  )
  local skipped = prove.all { service = service, digests = applied.digests, args = options }
  return {
    message = ("%s %d of %d tasks run%s."):format(
      applied.message,
      service.running_count,
      service.desired_count,
      prove.unproved(skipped)
    ),
    next = applied.next,
    not_checked = skipped,
  }
end

return rollback
