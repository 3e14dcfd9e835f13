--- How following a deployment can end: one table of outcomes, each with its verdict.
--
-- An outcome is { outcome = name, message = one sentence, id, arn, cluster, name, deployment, service,
-- service_deployment, ... }. The names are a closed list.

local services = require "moonbook.services"

local outcome = {}

--- Every outcome and the verdict that belongs to it (docs/exit-codes.md).
outcome.verdicts = {
  completed = "done", -- the goal was reached, by this very deployment
  failed = "failed", -- ECS gave it up, and what ran before was not put back whole
  rolled_back = "rolled_back", -- ECS gave it up and put back what ran before
  stopped = "stopped", -- somebody asked ECS to stop it
  superseded = "superseded", -- a newer deployment took its place
  paused = "paused", -- it waits at a hook for somebody's decision
  deleted = "failed", -- the service is gone
  hopeless = "failed", -- it is still under way and cannot come right
  timed_out = "timed_out", -- it was still under way when the time was up
}

--- An outcome of what `state` follows, with its sentence (string.format). What ECS itself says of it,
-- state.why, is kept apart: the sentence is short, and a found cause says more.
function outcome.of(state, name, format, ...)
  return {
    outcome = name,
    message = format:format(...),
    reason = state.why,
    id = state.wanted.id,
    arn = state.arn,
    cluster = state.cluster,
    name = state.name,
    wanted = state.wanted,
    deployment = state.ours,
    service = state.service,
    service_deployment = state.record,
    hopeless = state.hopeless,
  }
end

--- "deployment ecs-svc/123 of shop": how sentences name what is followed.
function outcome.subject(state)
  return ("Deployment %s of %s"):format(state.wanted.id or state.arn, state.name)
end

--- ": reason" without its full stop, or "".
function outcome.because(reason)
  return reason and reason ~= "" and (": " .. reason:gsub("%.$", "")) or ""
end

local function short_task(id)
  return ("(task %s)"):format(id:sub(1, 8))
end

--- A service event as people read it: without the service's own name, and ARNs and ids cut short.
function outcome.event(message)
  return (message
    :gsub("^%(service [^)]*%) ", "")
    :gsub("^%(service [^,)]*, taskSet [^)]*%) ", "")
    :gsub("%(task (%x+)%)", short_task)
    :gsub("arn:[%w-]+:[%w-]+:[%w-]*:%d*:targetgroup/([^/]+)/%x+", "%1"))
end

--- What the service's primary deployment runs, "shop:12 (2 of 2 running)".
function outcome.standing(service)
  local primary = service and services.primary(service)
  if not primary then
    return "nothing that could be read"
  end
  return ("%s (%s)"):format(services.revision(primary.task_definition), services.counts(primary))
end

return outcome
