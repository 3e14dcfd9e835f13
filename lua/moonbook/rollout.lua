--- Moving a service to another version and knowing how it ended: one UpdateService, followed, explained.
-- What deploy/quick, deploy/restart and rollback/ecs share.
--
--     plan():   return { mark = rollout.mark(service) }
--     apply():  return rollout.deploy { title = "Move the service to it", cluster = c, service = s, mark = plan.mark,
--                                       input = { task_definition = arn }, wait = 900 }
--
-- Uses: ecs.follow_deployment, ecs.explain, ecs.update_service, ecs.register_task_definition,
-- ecs.stop_service_deployment.

local deployment = require "moonbook.deployment"
local patience = require "moonbook.patience"
local services = require "moonbook.services"
local verdict = require "moonbook.verdict"

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

--- Registers a new revision, inside a step. Gives its ARN.
function rollout.register(input)
  local answer = patience.write(ecs.register_task_definition, input)
  local arn = answer.task_definition.task_definition_arn
  log.info(("registered %s"):format(arn:match("([^/]+)$")))
  return arn
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
  local why = verdict.explain(ended)
  local answer, err = patience.attempt_write(ecs.stop_service_deployment, {
    service_deployment_arn = ended.arn, stop_type = "ROLLBACK",
  })
  if not answer and err.code ~= "ConflictException" then -- it is over by itself: see how
    error(err, 0)
  end
  local after = rollout.follow {
    cluster = options.cluster, service = options.service, started = options.started, wait = options.wait,
  }
  local ending = verdict.of(after, why)
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

-- ---- all of it -----------------------------------------------------------------------------------

--- Writes, follows, and with `abort_early` has ECS stop what cannot come right, each in a step: { title = of the
-- first step, cluster, service, mark, input, wait, goal, abort_early }. Gives what apply() of a runbook returns.
function rollout.deploy(options)
  local started, ending
  step(options.title, function()
    started, ending = rollout.write(options)
  end)
  if not started then
    return ending
  end
  options.started = started
  local ended = step("Follow it to its end", function()
    return rollout.follow(options)
  end)
  if ended.outcome == "hopeless" and options.abort_early and ended.arn then
    return step("Have ECS stop it and go back", function()
      return rollout.abort(options, ended)
    end)
  end
  return verdict.of(ended)
end

return rollout
