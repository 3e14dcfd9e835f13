--- Moving a service to another version and knowing how it ended: one UpdateService, followed, explained.
-- What deploy/quick, deploy/restart and rollback/ecs share.
--
--     local started, ending = rollout.write { cluster = c, service = s, plan = rollout.mark(service),
--                                             input = { task_definition = arn } }   -- inside a step
--     local ended = rollout.follow { cluster = c, service = s, started = started, wait = 900 }
--     return rollout.ending(ended)
--
-- Uses: ecs.follow_deployment, ecs.explain, ecs.update_service; rollout.abort: ecs.stop_service_deployment.

local deployment = require "moonbook.deployment"
local explain = require "moonbook.explain"
local patience = require "moonbook.patience"
local services = require "moonbook.services"

local rollout = {}

local LAG = 60 -- seconds for which a read may show the state before a write
local LOOK = 5 -- seconds between two looks for a write whose answer was lost

-- ---- before the write ----------------------------------------------------------------------------

--- What rollout.write compares with before it writes: the primary deployment that the plan saw, and the
-- service deployment that was there; for an undo the service revision that alone ran, if one did. Plain data, for
-- plan() to return.
function rollout.mark(service)
  local primary, revisions = services.primary(service), service.current_service_revisions
  return {
    primary = primary and primary.id,
    task_definition = service.task_definition,
    current = service.current_service_deployment,
    revision = revisions and #revisions == 1 and revisions[1].arn or nil,
  }
end

-- Somebody else was quicker: nothing is written over what the plan has not seen.
local function overtaken(name, primary)
  return {
    verdict = "superseded",
    message = ("Somebody else has deployed %s since this was planned: deployment %s, %s. Nothing was written."):format(
      name,
      primary and primary.id or "?",
      primary and services.revision(primary.task_definition) or "?"
    ),
    cause = "changed_since_plan",
  }
end

-- ---- the write -----------------------------------------------------------------------------------

-- Whether an error leaves open whether AWS has done it.
local function may_have_been_done(err)
  return err.kind == "network" or err.kind == "timeout" or (err.status or 0) >= 500
end

-- Looks for the deployment that a write with a lost answer would have started. nil when there is none.
local function find_lost(options)
  local deadline = now() + LAG
  local wanted = options.input.task_definition or options.mark.task_definition
  repeat
    local service = services.active(options.cluster, options.service)
    local primary = service and services.primary(service)
    if primary and primary.id ~= options.mark.primary and primary.task_definition == wanted then
      return service
    end
    sleep(LOOK)
  until now() >= deadline
  return nil
end

local function update(options)
  local input = { cluster = options.cluster, service = options.service }
  for name, value in pairs(options.input) do
    input[name] = value
  end
  local answer, err = patience.attempt_write(ecs.update_service, input)
  if answer then
    return answer.service
  elseif not may_have_been_done(err) then
    error(err, 0)
  end
  log.warn(("the answer to UpdateService was lost (%s); looking whether it was done"):format(tostring(err)))
  local service = find_lost(options)
  if not service then
    error(err, 0)
  end
  log.warn("it was done")
  return service
end

--- Writes once, inside a step: { cluster, service, mark = what rollout.mark gave, input = what UpdateService
-- takes besides }. Gives what deployment.started gives; or nil and an ending for apply() to return, when
-- somebody else was quicker or no deployment came of it. A failed call is raised.
function rollout.write(options)
  local service, why = services.active(options.cluster, options.service)
  if not service then
    return nil, { verdict = "failed", message = why }
  end
  local primary = services.primary(service)
  if (primary and primary.id) ~= options.mark.primary then
    return nil, overtaken(options.service, primary)
  end
  local known = {} -- service deployments that were there before
  for _, arn in ipairs { options.mark.current or "", service.current_service_deployment or "" } do
    known[arn] = true
  end
  local started = deployment.started(update(options), options.mark.primary, known)
  if not started then
    return nil, {
      verdict = "failed",
      message = ("ECS accepted the update of %s but started no new deployment."):format(options.service),
    }
  end
  return started
end

-- ---- following -----------------------------------------------------------------------------------

--- Follows what rollout.write started, inside a step or not: { cluster, service, started, wait, goal,
-- abort_early }. Gives an outcome (follow/outcome.lua).
function rollout.follow(options)
  if options.started.id then
    log.info(("following deployment %s"):format(options.started.id))
  end
  return ecs.follow_deployment {
    cluster = options.cluster,
    service = options.service,
    deployment = options.started,
    wait = options.wait,
    goal = options.goal,
    abort_early = options.abort_early,
  }
end

--- Has ECS stop a deployment that cannot come right and go back, inside a step, and follows that to its end.
-- `ended` is the outcome "hopeless". Gives the ending for apply() to return. Explains before it stops: the
-- evidence goes with the tasks.
function rollout.abort(options, ended)
  local why = rollout.explain(ended)
  local answer, err = patience.attempt_write(ecs.stop_service_deployment, {
    service_deployment_arn = ended.arn, stop_type = "ROLLBACK",
  })
  if not answer and err.code ~= "ConflictException" then -- it is over by itself: see how
    error(err, 0)
  end
  local again = {}
  for name, value in pairs(options) do
    again[name] = value
  end
  again.abort_early = false
  local after = rollout.follow(again)
  local ending = rollout.ending(after, why)
  if after.outcome == "stopped" and answer then
    ending.verdict = "failed_undone"
    ending.message = ("%s We had ECS stop it and go back: %s."):format(
      ended.message:gsub("; ECS is still trying%.$", "."),
      after.service and services.revision(after.service.task_definition) .. " runs again, " .. services.counts(after.service)
        or "it did"
    )
  end
  return ending
end

-- ---- the ending ----------------------------------------------------------------------------------

local EXPLAINED = { failed = true, rolled_back = true, stopped = true, hopeless = true, timed_out = true }

--- Why a deployment ended as it did, as ecs.explain gives it; nil when there is nothing to explain. What
-- cannot be explained is told and hides nothing.
function rollout.explain(ended)
  if not EXPLAINED[ended.outcome] then
    return nil
  end
  local why, err = attempt(ecs.explain, {
    cluster = ended.cluster,
    service = ended.name,
    deployment = {
      id = ended.id, arn = ended.arn, task_definition = ended.wanted.task_definition, created_at = ended.wanted.created_at,
    },
  })
  if err then
    log.warn("why it ended so could not be found out: " .. tostring(err))
  end
  return why
end

local function command(name, ended)
  return ("moonbook run %s --cluster %s --service %s"):format(name, ended.cluster, ended.name)
end

-- What to run next, by how it ended.
local next_of = {}

function next_of.completed(ended)
  return { command("rollback/ecs", ended) }
end

function next_of.superseded(ended)
  return { command("deploy/follow", ended), command("history/service", ended) }
end

function next_of.timed_out(ended)
  return { command("deploy/follow", ended), command("rollback/ecs", ended) }
end

next_of.hopeless = next_of.timed_out

function next_of.paused(ended)
  local steer = "moonbook call ecs.continue_service_deployment --service-deployment-arn %s --hook-id %s --action %s"
  local hook = ended.hook and ended.hook.hook_id or "?"
  return {
    steer:format(ended.arn, hook, "CONTINUE"),
    steer:format(ended.arn, hook, "ROLLBACK"),
    command("deploy/follow", ended),
  }
end

function next_of.rolled_back(ended)
  return { command("validate/service", ended), command("history/service", ended) }
end

next_of.stopped = next_of.rolled_back

function next_of.failed(ended)
  return { command("rollback/ecs", ended), command("validate/service", ended) }
end

function next_of.deleted()
  return {}
end

local SELF_EXPLAINED = { completed = true, superseded = true, paused = true, deleted = true }

-- A cause is worth a place in the sentence when something is wrong with the deployment itself; without one,
-- ECS's own words are.
local function with_cause(ended, cause)
  local message = ended.message
  if SELF_EXPLAINED[ended.outcome] then
    return message
  elseif cause and cause.fault then
    local known = message:find(cause.summary:gsub("%.$", ""), 1, true)
    return known and message or ("%s Cause: %s"):format(message, cause.summary)
  elseif ended.reason then
    return ("%s ECS says: %s"):format(message, ended.reason)
  end
  return message
end

-- What machines get of an outcome: not the whole service.
local function details_of(ended, why)
  return {
    outcome = ended.outcome,
    deployment = ended.id,
    service_deployment = ended.arn,
    task_definition = ended.wanted.task_definition,
    running = ended.service and ended.service.task_definition,
    hook = ended.hook,
    explanation = why,
  }
end

--- The ending that apply() or verify() returns for an outcome: verdict, one sentence, the cause's code, the
-- evidence under it and what to run next. `why`: what rollout.explain gave, if it was asked already.
function rollout.ending(ended, why)
  why = why or rollout.explain(ended)
  local cause = why and why.cause
  return {
    verdict = deployment.verdict_of(ended),
    message = with_cause(ended, cause),
    cause = cause and cause.code,
    evidence = why and explain.lines(why, { below_cause = true }) or nil,
    details = details_of(ended, why),
    next = next_of[ended.outcome](ended),
    deployment = ended.wanted,
  }
end

return rollout
