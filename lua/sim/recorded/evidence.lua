--- What recorded tasks tell of their images: one whose tasks all ended by themselves, or whose targets all fail
-- their checks, goes on doing so. An image with a task that is well is taken to be well, as is one of which nothing
-- is known. A scenario's `behave` and images overrule it.

local faults = require "sim.faults"
local util = require "sim.util"
local walk = require "sim.recorded.walk"

local evidence = {}

-- ---- tasks ---------------------------------------------------------------------------------------

-- Seconds from when the containers ran, as far as it is known, to when they had ended.
local function lived(task)
  local from, to = task.started_at or task.pull_stopped_at, task.execution_stopped_at or task.stopped_at
  return from and to and math.max(to - from, 1) or 1
end

-- Codes of containers that were told to end, as the others of a task are when an essential one has ended.
local told = { [137] = true, [143] = true }

-- How a container ended by itself, as a behaviour; nil when it did not.
local function ending(task, container)
  local code = container.exit_code
  if task.stop_code ~= "EssentialContainerExited" or not code or code == 0 then
    return nil
  elseif (container.reason or ""):find("^OutOfMemory") then
    return { oom_after = lived(task) }
  elseif told[code] and #task.containers > 1 then
    return nil
  end
  return { exit = { code = code, after = lived(task), reason = container.reason } }
end

-- ---- targets -------------------------------------------------------------------------------------

-- What an application does whose target's check fails so; nil for a target that is well, or of which this is not
-- known.
local function failing(target)
  local health = target.target_health or {}
  local code = tonumber((health.description or ""):match("%[(%d+)%]"))
  if health.state ~= "unhealthy" then
    return nil
  elseif health.reason == "Target.ResponseCodeMismatch" and code then
    return { status = code }
  elseif health.reason == "Target.Timeout" then
    return { hang = true }
  end
end

-- Targets by address; of several that of one that fails.
local function targets_of(file)
  local out = {}
  for _, targets in util.sorted_pairs((file.elbv2 or {}).target_health or {}) do
    for _, target in ipairs(targets) do
      local id = target.target.id
      out[id] = out[id] and failing(out[id]) and out[id] or target
    end
  end
  return out
end

-- ---- images --------------------------------------------------------------------------------------

-- What a running task tells of its image: it has lived so long, its target is healthy, or fails.
local function note_running(file, image, task, target)
  image.behaviour = image.behaviour or target and failing(target)
  image.age = math.max(image.age or 0, file.recorded_at - (task.started_at or file.recorded_at))
  image.serves = image.serves or target ~= nil and (target.target_health or {}).state == "healthy"
end

local function failed_checks(task)
  return (task.stopped_reason or ""):find("failed ELB health checks", 1, true) and { status = 503 } or nil
end

-- What is known of each image by its digest: {behaviour, age of its oldest task, whether one serves}.
local function weigh(file)
  local known, targets = {}, targets_of(file)
  for _, task in ipairs(file.ecs.tasks or {}) do
    for _, container in ipairs(task.containers) do
      local image = known[container.image_digest or ""] or {}
      known[container.image_digest or ""] = image
      image.behaviour = image.behaviour or ending(task, container) or failed_checks(task)
      if task.last_status == "RUNNING" and task.desired_status == "RUNNING" then
        note_running(file, image, task, targets[walk.attached(task).privateIPv4Address or ""])
      end
    end
  end
  known[""] = nil
  return known
end

-- Whether a task has outlived what others died of.
local function is_well(image)
  local behaviour = image.behaviour
  local after = behaviour.oom_after or behaviour.exit and behaviour.exit.after
  return image.serves or after ~= nil and (image.age or 0) > 2 * after
end

--- Says of the images whose tasks tell of it what they do.
function evidence.behaviours(world, file)
  for digest, image in util.sorted_pairs(weigh(file)) do
    if image.behaviour and not is_well(image) then
      faults.set(world, "behaviour", digest, image.behaviour)
    end
  end
end

return evidence
