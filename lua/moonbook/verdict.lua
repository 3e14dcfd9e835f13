--- The verdict line: what a runbook returns of a deployment that was followed, with the sentence a person can act
-- on, the cause's code, the evidence under it and the commands to run next.
--
-- Uses: ecs.explain.

local deployment = require "moonbook.deployment"
local explain = require "moonbook.explain"
local services = require "moonbook.services"

local verdict = {}

local EXPLAINED = { failed = true, rolled_back = true, stopped = true, hopeless = true, timed_out = true }

--- Why a deployment ended as it did, as ecs.explain gives it; nil when there is nothing to explain. What
-- cannot be explained is told and hides nothing.
function verdict.explain(ended)
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

-- What to run next, by how it ended.
local next_of = {}

function next_of.completed(ended)
  return { services.command("rollback/ecs", ended.cluster, ended.name) }
end

function next_of.superseded(ended)
  return { services.command("deploy/follow", ended.cluster, ended.name), services.command("history/service", ended.cluster, ended.name) }
end

function next_of.timed_out(ended)
  return { services.command("deploy/follow", ended.cluster, ended.name), services.command("rollback/ecs", ended.cluster, ended.name) }
end

next_of.hopeless = next_of.timed_out

function next_of.paused(ended)
  local steer = "moonbook call ecs.continue_service_deployment --service-deployment-arn %s --hook-id %s --action %s"
  local hook = ended.hook and ended.hook.hook_id or "?"
  return {
    steer:format(ended.arn, hook, "CONTINUE"),
    steer:format(ended.arn, hook, "ROLLBACK"),
    services.command("deploy/follow", ended.cluster, ended.name),
  }
end

function next_of.rolled_back(ended)
  return { services.command("validate/service", ended.cluster, ended.name), services.command("history/service", ended.cluster, ended.name) }
end

next_of.stopped = next_of.rolled_back

function next_of.failed(ended)
  return { services.command("rollback/ecs", ended.cluster, ended.name), services.command("validate/service", ended.cluster, ended.name) }
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
-- evidence under it and what to run next. `why`: what verdict.explain gave, if it was asked already.
function verdict.of(ended, why)
  why = why or verdict.explain(ended)
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

return verdict
