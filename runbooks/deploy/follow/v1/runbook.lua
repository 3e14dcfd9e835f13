-- Attaches to the newest deployment of a service. When that is over already, says how it ended.

local history = require "moonbook.history"
local services = require "moonbook.services"
local verdict = require "moonbook.verdict"

local runbook = {}

function runbook.plan(run, args)
  local service, why = services.active(args.cluster, args.service)
  if not service then
    return { refuse = why }
  end
  local ok, reason = services.followable(service)
  if not ok then
    return { refuse = reason }
  end
  local primary = services.primary(service)
  local newest = (history.list(args.cluster, args.service) or {})[1]
  local revision = newest and history.revisions({ newest.target_service_revision_arn })[newest.target_service_revision_arn]
  -- While ECS rolls back, the primary deployment is the one it restores.
  local is_primary = not revision or revision.task_definition == primary.task_definition
  return {
    started = {
      id = is_primary and primary.id or nil,
      arn = newest and newest.service_deployment_arn,
      task_definition = revision and revision.task_definition or primary.task_definition,
      created_at = newest and newest.created_at or primary.created_at,
      known = {},
    },
  }
end

function runbook.verify(run, args, plan)
  local ended = ecs.follow_deployment {
    cluster = args.cluster, service = args.service, deployment = plan.started, wait = args.wait, goal = args.goal,
  }
  return verdict.of(ended)
end

return runbook
