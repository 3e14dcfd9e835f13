--- The lifecycle stages of a deployment that is not ROLLING: the new revision (green) comes up beside the old one
-- (blue), traffic moves, both run for a while, blue goes.
--
-- A deployment that has stages has `strategy`, and from the first pass on `stage`: {name, till}. At each
-- pass of the scheduler at most one stage ends: when its hooks are answered, its time is over, and what it is for
-- has come true. The record of the service deployment shows the stage.

local configuration = require "sim.ecs.configuration"
local durations = require "sim.facts.durations"
local history = require "sim.ecs.history"
local hooks = require "sim.ecs.hooks"
local survey = require "sim.ecs.survey"
local texts = require "sim.facts.texts"
local traffic = require "sim.ecs.traffic"

local stages = {}

-- In this order; PRE_PRODUCTION_TRAFFIC_SHIFT is a stage only for its hooks.
local order = {
  "RECONCILE_SERVICE", "PRE_SCALE_UP", "SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT",
  "PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP",
}

local place = {}
for index, name in ipairs(order) do
  place[name] = index
end

-- ---- who is who ----------------------------------------------------------------------------------

-- A completed deployment that a newer one has not begun to clean up.
local function stands(service, deployment)
  return deployment.rollout_state == "COMPLETED" and (deployment.desired > 0 or service.desired == 0)
end

--- The deployment that serves while a newer one comes up: the completed one among the older, else the one that
-- gets most of the traffic, else what a rolling deployment has come to. Nil when there is none.
function stages.blue(service)
  local best
  for index = 2, #service.deployments do
    local deployment = service.deployments[index]
    if stands(service, deployment) then
      return deployment
    elseif (deployment.production or 0) > (best and best.production or 0) then
      best = deployment
    end
  end
  local newest = service.deployments[2]
  return best or newest and not newest.strategy and newest.desired > 0 and newest or nil
end

--- The older deployments that are neither green nor blue: they have to go first.
function stages.leftovers(service)
  local out, blue = {}, stages.blue(service)
  for index = 2, #service.deployments do
    local deployment = service.deployments[index]
    if deployment ~= blue then
      out[#out + 1] = deployment
    end
  end
  return out
end

local function at(deployment, name)
  return deployment.stage ~= nil and deployment.stage.name == name
end

local function past(deployment, name)
  return deployment.stage ~= nil and place[deployment.stage.name] >= place[name]
end

-- ---- beginning -----------------------------------------------------------------------------------

--- A new deployment takes its side. It has stages unless the service's strategy is ROLLING.
function stages.prepare(service, deployment)
  local blue = stages.blue(service)
  deployment.swapped = blue ~= nil and blue.swapped or nil
  if not configuration.staged(service.deployment_configuration) then
    return
  end
  deployment.strategy = service.deployment_configuration.strategy
  deployment.configuration = service.deployment_configuration
  deployment.production, deployment.test = 0, 0
  if blue then
    deployment.swapped = traffic.managed(service.config) and not blue.swapped or nil
    blue.desired = service.desired -- it serves until green does, whatever was made of it before
    blue.production = blue.production or 100
    blue.test = blue.test or traffic.has_tests(service.config) and 100 or 0
  end
end

-- ---- what each stage is for ----------------------------------------------------------------------

-- How much of production the deployment gets with its next step.
local function next_percent(deployment)
  local now, set = deployment.shifted or 0, deployment.configuration
  if deployment.strategy == "LINEAR" then
    return math.min(now + set.linear_configuration.step_percent, 100)
  elseif deployment.strategy == "CANARY" and now == 0 then
    return set.canary_configuration.canary_percent
  end
  return 100
end

-- How many minutes a step is watched before the next one; the last one is not.
local function step_minutes(deployment)
  local set = deployment.configuration
  if deployment.shifted >= 100 then
    return 0
  end
  return deployment.strategy == "LINEAR" and set.linear_configuration.step_bake_time_in_minutes
    or set.canary_configuration.canary_bake_time_in_minutes
end

local kinds = {}

local function always()
  return true
end

kinds.RECONCILE_SERVICE = {
  applies = function(service)
    return #stages.leftovers(service) > 0
  end,
  enter = function(world, service)
    stages.give_back(world, service, stages.blue(service))
  end,
  done = function(service, _, pass)
    for _, deployment in ipairs(stages.leftovers(service)) do
      if #pass.shares[deployment.id].wanted > 0 then
        return false
      end
    end
    return not pass.leaving
  end,
}

kinds.PRE_SCALE_UP = {
  check = traffic.problem,
}

kinds.SCALE_UP = {
  done = function(service, deployment, pass)
    local share = pass.shares[deployment.id]
    return share.good >= service.desired and #share.wanted == service.desired
  end,
}

local function rules_missing(kind)
  return function(world, service)
    return not traffic.ready(world, service, kind) and texts.fill(texts.networking.rules, {}) or nil
  end
end

kinds.TEST_TRAFFIC_SHIFT = {
  check = rules_missing "test",
  enter = function(world, service, deployment)
    if traffic.has_tests(service.config) then
      traffic.send(world, service, "test", deployment, 100)
    end
    return durations.take(world, "traffic_shift")
  end,
}

kinds.PRE_PRODUCTION_TRAFFIC_SHIFT = {
  applies = function(_, deployment)
    return hooks.at(deployment.configuration, "PRE_PRODUCTION_TRAFFIC_SHIFT")
  end,
}

kinds.PRODUCTION_TRAFFIC_SHIFT = {
  check = rules_missing "production",
  enter = function(world, service, deployment)
    local blue = stages.blue(service)
    deployment.shifted = blue and next_percent(deployment) or 100 -- the first revision has nobody to share with
    traffic.send(world, service, "production", deployment, deployment.shifted, blue)
    history.record(world, deployment.service_deployment).most_traffic = deployment.shifted -- for sim.truth
    return durations.take(world, "traffic_shift") + step_minutes(deployment) * 60
  end,
  again = function(deployment)
    return deployment.shifted < 100
  end,
}

kinds.BAKE_TIME = {
  applies = function(service)
    return stages.blue(service) ~= nil
  end,
  enter = function(_, _, deployment)
    return deployment.configuration.bake_time_in_minutes * 60
  end,
}

kinds.CLEAN_UP = {
  done = function()
    return false -- the completion of the deployment ends it
  end,
}

-- ---- going on ------------------------------------------------------------------------------------

-- The stage after one, among those that apply. A production shift in steps comes again, with its hooks.
local function following(service, deployment)
  local now = deployment.stage and deployment.stage.name
  local index = now and place[now] + 1 or 1
  if now == "PRODUCTION_TRAFFIC_SHIFT" and kinds[now].again(deployment) then
    index = place.PRE_PRODUCTION_TRAFFIC_SHIFT
  end
  while true do
    local kind = kinds[order[index]] or {}
    if (kind.applies or always)(service, deployment) then
      return order[index]
    end
    index = index + 1
  end
end

-- Enters a stage; gives why it cannot.
local function enter(world, service, deployment, record, name)
  local kind, now = kinds[name] or {}, world:now()
  local problem = kind.check and kind.check(world, service)
  deployment.stage = { name = name }
  record.stage, record.updated_at = name, now
  deployment.updated_at = now
  if problem then
    return problem
  end
  local seconds = kind.enter and kind.enter(world, service, deployment) or durations.take(world, "stage_settles")
  deployment.stage.till = now + seconds
  hooks.begin(world, record, name)
end

-- Whether the stage may end now; else says when to look again.
local function ended(world, service, deployment, record, pass)
  if hooks.waiting(record) then
    pass.resting = true -- the answer wakes the scheduler
    return false
  end
  local wait = deployment.stage.till - world:now()
  if wait > 1e-6 then
    pass.resting = true
    survey.due(pass, wait)
    return false
  end
  local kind = kinds[deployment.stage.name]
  return (kind and kind.done or always)(service, deployment, pass)
end

--- Lets the newest deployment go on, by one stage at most. Gives why it has failed, or nil.
function stages.run(world, service, pass)
  local deployment = service.deployments[1]
  local record = history.record(world, deployment.service_deployment)
  if deployment.rolls_back and record and record.stage then
    stages.pay_back(world, service, pass.shares[deployment.id].good)
    record.stage = deployment.owed and record.stage or "CLEAN_UP"
  end
  if not survey.staged(deployment) or not record or record.status ~= "IN_PROGRESS" then
    return nil
  end
  local failure = hooks.failure(record)
  if failure then
    return failure
  elseif not deployment.stage or ended(world, service, deployment, record, pass) then
    pass.resting = nil
    failure = enter(world, service, deployment, record, following(service, deployment))
    survey.due(pass, math.max((deployment.stage.till or world:now()) - world:now(), 0))
  end
  return failure
end

-- ---- what others ask -----------------------------------------------------------------------------

--- How many tasks the newest deployment is to have now.
function stages.wanted(service, deployment)
  if survey.staged(deployment) and not past(deployment, "SCALE_UP") then
    return 0
  end
  return service.desired
end

--- Whether older tasks may make room for the newest deployment's now.
function stages.retires(deployment)
  return not survey.staged(deployment) or at(deployment, "CLEAN_UP")
end

--- Whether what is neither blue nor green has to go now.
function stages.reconciles(deployment)
  return survey.staged(deployment) and at(deployment, "RECONCILE_SERVICE")
end

--- All traffic goes to one deployment, at once.
function stages.give_back(world, service, deployment)
  if deployment then
    traffic.send(world, service, "production", deployment, 100)
    if traffic.has_tests(service.config) then
      traffic.send(world, service, "test", deployment, 100)
    end
  end
end

--- The traffic that is owed to a deployment that was restored: it gets it at once, unless it has to come up first.
-- `good`: how many of its tasks are healthy.
function stages.pay_back(world, service, good)
  local back = service.deployments[1]
  if back.owed and (good > 0 or service.desired == 0) then
    back.owed = nil
    stages.give_back(world, service, back)
  end
end

--- The stage that a deployment shows while its traffic goes back.
function stages.note_rollback(record, failed)
  if not record or not record.stage then
    return
  elseif (failed.shifted or 0) > 0 then
    record.stage = "PRODUCTION_TRAFFIC_SHIFT"
  elseif past(failed, "TEST_TRAFFIC_SHIFT") then
    record.stage = "TEST_TRAFFIC_SHIFT"
  end
end

return stages
