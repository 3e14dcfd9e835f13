-- Forces a new deployment and follows that very deployment: a rollback by ECS, or somebody else's
-- deployment, is not success.

local deployment = require "moonbook.deployment"
local rollout = require "moonbook.rollout"
local services = require "moonbook.services"
local undo = require "moonbook.rollback.undo"

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
  if service.desired_count == 0 then
    return { refuse = ("Service %s is scaled to zero: there is no task to restart."):format(args.service) }
  end
  local primary = services.primary(service)
  if primary.rollout_state == "IN_PROGRESS" then
    log.warn(("deployment %s is in progress; this run takes its place"):format(primary.id))
  end
  return {
    mark = rollout.mark(service),
    next = services.command("validate/service", args.cluster, args.service),
  }
end

function runbook.apply(run, args, plan)
  return rollout.deploy {
    title = "Start a new deployment", cluster = args.cluster, service = args.service, mark = plan.mark,
    input = { force_new_deployment = true }, wait = args.wait, abort_early = args.abort_early,
  }
end

-- What apply() saw must still be so: ours is the primary deployment, and its tasks run.
function runbook.verify(run, args, plan, applied)
  local started = applied.deployment
  local service, why = deployment.settled(args.cluster, args.service, started)
  if not check("service is active", service ~= nil, why) then
    return
  end
  local primary = (services.primary(service) or {}).id or "none"
  check(
    "our deployment is the primary one",
    primary == started.id,
    primary == started.id and primary or ("%s, expected %s"):format(primary, started.id)
  )
  local wanted = service.desired_count
  check(
    "desired tasks run",
    wanted > 0 and service.running_count == wanted,
    wanted == 0 and "the service is scaled to zero" or services.counts(service)
  )
  return { message = applied.message, next = services.command("validate/service", args.cluster, args.service) }
end

-- A restart that did not go well is taken back as any deployment is: to the images that ran before.
function runbook.undo(run, args, plan)
  return undo.run { cluster = args.cluster, service = args.service, mark = plan.mark, run = run.id }
end

return runbook
