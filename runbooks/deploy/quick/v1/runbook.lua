-- The guide's quick deployment, from an image that is in the registry: everything that would make it fail
-- is looked for first; then one revision is registered and the service updated once; that very deployment
-- is followed; and what runs in the end is proved by digests, targets, alarms and a probe.

local history = require "moonbook.history"
local images = require "moonbook.images"
local preflight = require "moonbook.preflight"
local prove = require "moonbook.prove"
local pull_through = require "moonbook.registry.pull_through"
local registry = require "moonbook.registry"
local rollout = require "moonbook.rollout"
local services = require "moonbook.services"
local task_definitions = require "moonbook.task_definitions"
local undo = require "moonbook.rollback.undo"

local runbook = {}

-- ---- plan ----------------------------------------------------------------------------------------

-- The service, when this runbook can deploy it; else what plan() returns.
local function deployable(args)
  local service, why = services.active(args.cluster, args.service)
  if not service then
    return nil, { refuse = why }
  end
  local ok, reason = services.followable(service)
  if not ok then
    return nil, { refuse = reason }
  end
  local primary = services.primary(service)
  if primary.rollout_state == "IN_PROGRESS" and not args.supersede then
    return nil, {
      refuse = ("Deployment %s of %s (%s) is under way. Wait for it, or take its place with --supersede."):format(
        primary.id,
        args.service,
        services.revision(primary.task_definition)
      ),
      next = ("moonbook run deploy/follow --cluster %s --service %s"):format(args.cluster, args.service),
    }
  end
  return service
end

-- The digests that run now, by container, when one revision alone runs.
local function running_digests(service)
  local current = service.current_service_revisions or {}
  local revision = #current == 1 and history.revisions({ current[1].arn })[current[1].arn]
  local digests = {}
  for name, image in pairs(revision and history.images(revision) or {}) do
    digests[name] = image.digest
  end
  return digests
end

local function container_image(definition, name)
  for _, container in ipairs(definition.container_definitions) do
    if container.name == name then
      return container.image
    end
  end
end

-- Whether exactly this runs already, as one completed deployment.
local function runs_already(service, definition, container, wanted, digests)
  local primary = services.primary(service)
  local digest = digests[container]
  return primary.rollout_state == "COMPLETED"
    and service.running_count == service.desired_count
    and service.task_definition == definition.task_definition_arn
    and container_image(definition, container) == wanted
    and digest ~= nil
    and running_digests(service)[container] == digest
end

local function lines_of(list)
  local lines = {}
  for index, entry in ipairs(list) do
    lines[index] = preflight.line(entry)
  end
  return lines
end

-- Looks for what would make it fail. Gives what plan() returns when there is something, else nil.
local function refuse_by_preflight(args, service, definition)
  local found = preflight.checks {
    cluster = args.cluster, service = service, task_definition = definition, registers = true,
  }
  for _, entry in ipairs(preflight.risky(found)) do
    log.warn(preflight.line(entry))
  end
  for _, entry in ipairs(preflight.unread(found)) do
    log.info("not checked: " .. preflight.line(entry))
  end
  local failing = preflight.failing(found)
  if #failing == 0 then
    return nil
  end
  return {
    refuse = ("It would fail: %s. Nothing was written."):format(preflight.line(failing[1])),
    evidence = lines_of(failing),
    next = { services.command("deploy/preflight", args.cluster, args.service) .. " --image " .. args.image },
  }
end

local function described_change(definition, container, wanted, digest)
  return ("%s: %s -> %s%s"):format(
    container,
    images.short(container_image(definition, container)),
    images.short(wanted),
    digest and (" (%s)"):format(images.short_digest(digest)) or ""
  )
end

-- Why the same reference is deployed again, as far as it is known.
local function why_forced(digest)
  return digest and ", which does not run its image of now" or ": whether its image is another now could not be asked"
end

-- What plan() returns when an image is neither in ECR nor fetched by it when it is first pulled.
local function missing_image(absent)
  for _, image in ipairs(absent) do
    local upstream = pull_through.source(image.reference)
    if not upstream then
      return {
        refuse = ("ECR does not have the image %s: %s"):format(images.short(image.reference), image.why),
        cause = "image_not_found",
      }
    end
    log.warn(("%s is not in ECR yet: it is fetched from %s when it is first pulled"):format(
      images.short(image.reference),
      upstream
    ))
  end
  return nil
end

function runbook.plan(run, args)
  local service, refused = deployable(args)
  if not service then
    return refused
  end
  local definition, missing = task_definitions.read(service.task_definition)
  if not definition then
    return { refuse = missing }
  end
  local changed, container = images.put(definition, {
    image = args.image, container = args.container, balanced = preflight.balanced_container(service),
  })
  if not changed then
    return { refuse = container }
  end
  local digests, absent = registry.digests(changed)
  local missing = missing_image(absent)
  if missing then
    return missing
  end
  local wanted = container_image(changed, container)
  if runs_already(service, definition, container, wanted, digests) then
    return { nothing_to_do = ("%s runs %s already, with the same digest."):format(args.service, images.short(wanted)) }
  end
  local refusal = args.preflight and refuse_by_preflight(args, service, changed)
  if refusal then
    return refusal
  end
  local same = container_image(definition, container) == wanted
  local change = described_change(definition, container, wanted, digests[container])
  return {
    mark = rollout.mark(service),
    desired_count = service.desired_count,
    -- The same reference may mean another image now: a forced deployment resolves it again.
    registration = not same and task_definitions.registration(changed) or nil,
    image = images.short(wanted),
    digests = digests,
    changes = {
      ("Deploys %s in %s: %s"):format(args.service, args.cluster, change),
      same and "Forces a new deployment of " .. services.revision(service.task_definition) .. why_forced(digests[container])
        or "Registers a new revision of " .. definition.family .. " and updates the service once",
    },
    next = ("moonbook run rollback/ecs --cluster %s --service %s"):format(args.cluster, args.service),
  }
end

-- ---- apply ---------------------------------------------------------------------------------------

function runbook.apply(run, args, plan)
  local input = { force_new_deployment = true }
  if plan.registration then
    local arn = step("Register the task definition", function()
      return rollout.register(plan.registration)
    end)
    input = { task_definition = arn }
  end
  return rollout.deploy {
    title = "Move the service to it", cluster = args.cluster, service = args.service, mark = plan.mark, input = input,
    wait = args.wait, goal = args.goal, abort_early = args.abort_early,
  }
end

-- ---- verify --------------------------------------------------------------------------------------

-- What ECS called complete must be what runs, and work.
function runbook.verify(run, args, plan, applied)
  local started = applied.deployment
  return prove.deployment {
    args = args,
    started = started,
    digests = plan.digests,
    done = ("%s runs %s (%s)"):format(args.service, plan.image, services.revision(started.task_definition)),
    desired_count = plan.desired_count,
    next = applied.next,
  }
end

-- ---- undo ----------------------------------------------------------------------------------------

-- Goes back to what ran before this run began, by the same way as rollback/ecs.
function runbook.undo(run, args, plan)
  return undo.run { cluster = args.cluster, service = args.service, mark = plan.mark, run = run.id }
end

return runbook
