--- Taking a deployment back: the undo of deploy/quick and deploy/restart.
--
-- Uses: what moonbook.rollback uses.

local history = require "moonbook.history"
local rollback = require "moonbook.rollback"
local services = require "moonbook.services"

local undo = {}

local WAIT = 1200 -- seconds; what the run's own wait was for has failed already

-- The service deployments that were made since a mark, the newest first. nil when it cannot be told.
local function made_since(options, mark)
  local since = {}
  for _, brief in ipairs(history.list(options.cluster, options.service) or {}) do
    if brief.service_deployment_arn == mark.current then
      return since
    end
    since[#since + 1] = brief
  end
  return nil
end

-- How to undo: a plan as rollback.plan gives it. What the deployment found running is what to go back to, whatever
-- else the history holds; only while the deployment is under way ECS is left to choose.
local function plan_undo(options, mark, since)
  local under_way = since and since[1] and not history.over[since[1].status]
  if not under_way then
    options.to = mark.revision
  end
  return rollback.plan(options)
end

--- Undoes a deployment: { cluster, service, mark = what rollout.mark gave before it, run }. Safe to call
-- twice, and after half a deployment. Gives what undo() of a runbook returns.
function undo.run(options)
  local mark = options.mark
  local service, why = services.active(options.cluster, options.service)
  if not service then
    return { verdict = "failed", message = why }
  end
  local primary = services.primary(service)
  if primary and primary.id == mark.primary and primary.rollout_state ~= "IN_PROGRESS" then
    return { message = ("%s runs %s, as before: there was nothing to take back."):format(
      options.service,
      services.revision(primary.task_definition)
    ) }
  end
  options = {
    cluster = options.cluster, service = options.service, wait = WAIT, run = options.run, preflight = false,
  }
  local since = made_since(options, mark)
  if since and #since > 1 then
    return {
      verdict = "superseded",
      message = ("Somebody else has deployed %s since, %s: that was left as it is."):format(
        options.service,
        primary and services.revision(primary.task_definition) or "?"
      ),
      next = { services.command("deploy/follow", options.cluster, options.service), services.command("history/service", options.cluster, options.service) },
    }
  end
  local plan = plan_undo(options, mark, since)
  if plan.refuse or plan.nothing_to_do then
    return { verdict = plan.refuse and "failed" or nil, message = plan.refuse or plan.nothing_to_do, evidence = plan.evidence, next = plan.next }
  end
  local applied = rollback.apply(options, plan)
  if applied.verdict ~= "done" then
    return applied
  end
  return rollback.verify(options, applied)
end

return undo
