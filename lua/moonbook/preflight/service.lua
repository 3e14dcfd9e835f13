--- The service itself: its state, who deploys it, and what happens when the deployment goes wrong.
-- Reads nothing but the described service.

local services = require "moonbook.services"

local subject = {}

local function judge_state(pass)
  local service = pass.service
  pass:require("service is active", service.status == "ACTIVE", ("status is %s"):format(service.status))
  local controller = (service.deployment_controller or {}).type or "ECS"
  pass:require(
    "ECS deploys the service",
    controller == "ECS",
    controller == "ECS" and ("rolling out by %s"):format(pass:strategy())
      or ("its deployment controller is %s: deploy it there; only what ECS itself deploys can be followed"):format(
        controller
      )
  )
end

local function judge_tasks(pass)
  local service = pass.service
  local under_way = {}
  for _, deployment in ipairs(service.deployments or {}) do
    if deployment.rollout_state == "IN_PROGRESS" then
      under_way[#under_way + 1] = ("%s to %s (%s)"):format(
        deployment.id,
        services.revision(deployment.task_definition),
        services.counts(deployment)
      )
    end
  end
  pass:advise(
    "deployment under way",
    #under_way == 0,
    #under_way > 0 and table.concat(under_way, "; ") .. ": a new deployment takes its place" or "none"
  )
  local desired = service.desired_count or 0
  pass:advise(
    "desired count",
    desired > 0,
    desired > 0 and ("%d"):format(desired)
      or "it is scaled to zero: no task starts, so the deployment succeeds whatever is wrong with it"
  )
  pass:advise(
    "present tasks",
    service.running_count >= desired,
    services.counts(service)
      .. (service.running_count < desired and ": there may be nothing healthy to go back to" or "")
  )
end

local function judge_breaker(pass)
  local configuration = pass.service.deployment_configuration or {}
  local breaker = configuration.deployment_circuit_breaker or {}
  local alarms = configuration.alarms or {}
  pass:advise(
    "circuit breaker",
    breaker.enable == true,
    breaker.enable and "on"
      or "off: a deployment that cannot work stays in progress for ever; set deployment_circuit_breaker of the "
        .. "service's deployment_configuration"
  )
  local back = breaker.enable and breaker.rollback or alarms.enable and alarms.rollback
  pass:advise(
    "rollback",
    back == true,
    back and "on" or "off: ECS does not go back by itself when the deployment fails"
  )
end

function subject.judge(pass)
  judge_state(pass)
  judge_tasks(pass)
  judge_breaker(pass)
end

return subject
