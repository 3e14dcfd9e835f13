--- Counting tasks that failed: for the circuit breaker, and for the growing wait before the next attempt.

local durations = require "sim.facts.durations"
local events = require "sim.ecs.events"

local failures = {}

local waits = { "backoff_first", "backoff_second", "backoff_third", "backoff_fourth" }

--- How many failed tasks make a deployment fail.
function failures.threshold(service)
  local breaker = service.deployment_configuration.deployment_circuit_breaker or {}
  local rule = breaker.threshold_configuration or { type = "BOUNDED_PERCENT", value = 50 }
  if rule.type == "COUNT" then
    return rule.value
  end
  local share = math.ceil(service.desired * rule.value / 100)
  if rule.type == "UNBOUNDED_PERCENT" then
    return math.max(share, 1)
  end
  return math.min(math.max(share, 3), 200)
end

--- Whether the breaker watches the service's deployments.
function failures.watched(service)
  local breaker = service.deployment_configuration.deployment_circuit_breaker
  return breaker ~= nil and breaker.enable == true
end

-- Only the newest deployment counts, and only until it is done.
local function counting(service, id)
  local primary = service.deployments[1]
  if primary and primary.id == id and primary.rollout_state == "IN_PROGRESS" then
    return primary
  end
end

--- A task of the deployment failed.
function failures.count(world, service, id)
  local deployment = counting(service, id)
  if not deployment then
    return
  end
  deployment.failed_tasks = deployment.failed_tasks + 1
  deployment.updated_at = world:now()
  if failures.watched(service) and not deployment.tripping
    and deployment.failed_tasks >= failures.threshold(service) then
    deployment.tripping = true
    world:after(durations.take(world, "breaker_trip"), "ecs.trip",
      { service = service.key, deployment = id })
  end
end

--- A task of the deployment was judged healthy.
function failures.forgive(service, id)
  local deployment = counting(service, id)
  local breaker = service.deployment_configuration.deployment_circuit_breaker or {}
  if deployment and breaker.reset_on_healthy_task ~= false then
    deployment.failed_tasks = 0
  end
end

--- A task ended without ever having run: the next attempt waits longer. Tasks that were tried together
-- count as one attempt.
function failures.slow_down(world, service, deployment, tried_at)
  if deployment.slowed_at and tried_at < deployment.slowed_at then
    return
  end
  deployment.slowed_at = world:now()
  deployment.attempts = (deployment.attempts or 0) + 1
  local wait = durations.take(world, waits[deployment.attempts] or "backoff_longest")
  deployment.wait_until = world:now() + wait
  if deployment.attempts == 2 then
    events.write(world, service, "inconsistent")
  end
end

--- A task of the deployment runs: attempts need no wait any more.
function failures.speed_up(deployment)
  deployment.attempts, deployment.wait_until, deployment.slowed_at = nil, nil, nil
end

return failures
