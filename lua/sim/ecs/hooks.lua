--- Lifecycle hooks of a service deployment: begun at a stage, answered, timed out.
--
-- A PAUSE hook waits for ContinueServiceDeployment. There is no Lambda here: what an AWS_LAMBDA hook comes to is
-- what the scenario said of its function or of the stage (fault "hook": {result, after}), and well when it said
-- nothing. The hooks of the latest stage that had any stand in the record of the service deployment.

local durations = require "sim.facts.durations"
local faults = require "sim.faults"
local texts = require "sim.facts.texts"
local util = require "sim.util"
local wake = require "sim.ecs.wake"

local hooks = { handlers = {} }

local url_safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
local usual_minutes = 1440 -- D

local waits = { AWAITING_ACTION = true, IN_PROGRESS = true }

local function id_of(world, hook)
  return ("ecs-%s-%s"):format(hook.target_type == "PAUSE" and "pause" or "lambda", world:id(43, url_safe))
end

-- ---- beginning -----------------------------------------------------------------------------------

local function begin(world, record, stage, hook)
  local timeout = hook.timeout_configuration or {}
  local entry = {
    id = id_of(world, hook), stage = stage, target_type = hook.target_type, target_arn = hook.hook_target_arn,
    status = hook.target_type == "PAUSE" and "AWAITING_ACTION" or "IN_PROGRESS", began_at = world:now(),
    expires_at = world:now() + (timeout.timeout_in_minutes or usual_minutes) * 60,
    timeout_action = timeout.action or "ROLLBACK",
  }
  table.insert(record.hooks, entry)
  world:after(entry.expires_at - world:now(), "ecs.hook_expires", { arn = record.arn, hook = entry.id })
  if entry.status == "IN_PROGRESS" then
    world:after(durations.take(world, "hook_run"), "ecs.hook_runs", { arn = record.arn, hook = entry.id })
  end
end

--- Whether a deployment configuration has hooks at a stage.
function hooks.at(configuration, stage)
  for _, hook in ipairs(configuration.lifecycle_hooks or {}) do
    if util.holds(hook.lifecycle_stages, stage) then
      return true
    end
  end
  return false
end

--- Begins the hooks of a stage, each with an id of its own.
function hooks.begin(world, record, stage)
  if not hooks.at(record.configuration, stage) then
    return
  end
  record.hooks = {}
  for _, hook in ipairs(record.configuration.lifecycle_hooks) do
    if util.holds(hook.lifecycle_stages, stage) then
      begin(world, record, stage, hook)
    end
  end
end

-- ---- how they stand ------------------------------------------------------------------------------

--- Whether a hook still holds the deployment back.
function hooks.waiting(record)
  for _, hook in ipairs(record.hooks or {}) do
    if waits[hook.status] then
      return true
    end
  end
  return false
end

--- Why the deployment must go back, as the status reason says it; nil while no hook has failed.
function hooks.failure(record)
  for _, hook in ipairs(record.hooks or {}) do
    if hook.failure then
      return hook.failure
    end
  end
end

--- Hooks that wait need no answer any more: the deployment is over, or goes back.
function hooks.close(record)
  local kept = {}
  for _, hook in ipairs(record.hooks or {}) do
    if not waits[hook.status] then
      kept[#kept + 1] = hook
    end
  end
  record.hooks = record.hooks and kept
end

--- The hooks as DescribeServiceDeployments shows them.
function hooks.show(record)
  local out = {}
  for index, hook in ipairs(record.hooks or {}) do
    out[index] = {
      hook_id = hook.id, target_type = hook.target_type, target_arn = hook.target_arn, status = hook.status,
      expires_at = hook.expires_at, timeout_action = hook.timeout_action,
    }
  end
  return record.hooks and out
end

-- ---- answers -------------------------------------------------------------------------------------

-- The hook of a planned step, while it still waits; and its record and service.
local function current(world, args)
  local state = world:state("ecs")
  local record = state.service_deployments[args.arn]
  for _, hook in ipairs(record and record.hooks or {}) do
    if hook.id == args.hook and waits[hook.status] then
      return hook, record, state.services[record.service]
    end
  end
end

local function settle(world, hook, service, status, failure)
  hook.status, hook.failure = status, failure
  wake.in_about(world, service, "scheduler_reaction")
end

-- What a scenario said of the function, or of the stage.
local function said_of(world, hook)
  return faults.of(world, "hook", hook.target_arn) or faults.get(world, "hook", hook.stage) or {}
end

--- A function is asked: it answers, or wants to be asked again.
function hooks.handlers.hook_runs(world, args)
  local hook, _, service = current(world, args)
  if not hook then
    return
  end
  local said = said_of(world, hook)
  local result = said.result or "SUCCEEDED"
  if said.after and world:now() < hook.began_at + said.after - 1e-6 then
    result = "IN_PROGRESS"
  end
  if result == "SUCCEEDED" then
    settle(world, hook, service, "SUCCEEDED")
  elseif result == "FAILED" then
    settle(world, hook, service, "FAILED",
      texts.fill(texts.service_deployment.hook_failed, { stage = hook.stage, arn = hook.target_arn }))
  else
    world:after(durations.usual("hook_callback"), "ecs.hook_runs", args)
  end
end

--- A hook has had its time.
function hooks.handlers.hook_expires(world, args)
  local hook, _, service = current(world, args)
  if not hook then
    return
  end
  local words = texts.service_deployment[hook.target_type == "PAUSE" and "pause_timed_out" or "hook_timed_out"]
  local failure = hook.timeout_action == "ROLLBACK" and texts.fill(words, { stage = hook.stage, arn = hook.target_arn })
  settle(world, hook, service, "TIMED_OUT", failure or nil)
end

--- The pause hook that an operation means; it must wait for an action.
function hooks.find(world, record, id)
  if not id:match("^ecs%-%l+%-.+$") then
    texts.fail(world, "hook_id")
  end
  for _, hook in ipairs(record.hooks or {}) do
    if hook.id == id and hook.status == "AWAITING_ACTION" then
      return hook
    end
  end
  texts.fail(world, "hook")
end

--- Somebody lets a paused deployment go on, or wants it back.
function hooks.answer(world, record, hook, action)
  settle(world, hook, world:state("ecs").services[record.service], action == "CONTINUE" and "SUCCEEDED" or "FAILED")
end

return hooks
