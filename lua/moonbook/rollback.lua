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

local history = require "moonbook.history"
local patience = require "moonbook.patience"
local prove = require "moonbook.prove"
local rollout = require "moonbook.rollout"
local services = require "moonbook.services"
local target = require "moonbook.rollback.target"
local verdict = require "moonbook.verdict"
local planning = require "moonbook.rollback.plan"

local rollback = {}

--- Decides how to go back, and to what; only reads. See moonbook.rollback.plan.
rollback.plan = planning.decide

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
    next = services.command("validate/service", options.cluster, options.service),
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
    result.next = services.command("validate/service", options.cluster, options.service)
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
  return prove.deployment {
    args = options,
    started = { id = applied.primary, created_at = applied.primary_created_at, earlier = {} },
    digests = applied.digests,
    done = (applied.message:gsub("%.$", "")),
    desired_count = applied.desired_count,
    next = applied.next,
  }
end

return rollback
