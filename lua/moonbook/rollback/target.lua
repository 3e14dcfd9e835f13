--- What to go back to: found in the history of what really ran, and checked to be runnable.
--
-- A target is { revision, definition = as described, digests = { container = digest }, entry, stale =
-- containers whose reference means another image now, inactive, notes = lines about what was passed over }.
--
-- Uses: ecs.describe_task_definition, ecr.describe_images, ecs.list_task_definitions (a guess only).

local history = require "moonbook.history"
local images = require "moonbook.images"
local patience = require "moonbook.patience"
local registry = require "moonbook.registry"
local task_definitions = require "moonbook.task_definitions"

local target = {}

--- The tag that a revision gets when a run went back from it; its value says of which image and when.
target.BAD = "moonbook:bad"

-- ---- whether it can run --------------------------------------------------------------------------

local function digests_of(revision)
  local digests = {}
  for name, image in pairs(history.images(revision)) do
    digests[name] = image.digest
  end
  return digests
end

-- "sha256:0123..." of a tag's value, if it says.
local function marked_bad(definition, digests)
  for _, tag in ipairs(definition.tags or {}) do
    if tag.key == target.BAD then
      for _, digest in pairs(digests) do
        if tag.value:find(images.short_digest(digest), 1, true) then
          return true
        end
      end
      return next(digests) == nil
    end
  end
  return false
end

-- Looks up every container's image: gives the containers whose reference means another one now, and the
-- sentence about one that is gone from the registry.
local function look_up_images(definition, digests)
  local stale, gone = {}, nil
  each(definition.container_definitions, function(container)
    local digest = digests[container.name]
    if not digest or not registry.can_ask(container.image) then
      return
    end
    if not registry.has(container.image, digest) then
      gone = ("its image %s (%s) is gone from the registry"):format(
        images.short(container.image),
        images.short_digest(digest)
      )
    elseif registry.digest(container.image) ~= digest then
      stale[#stale + 1] = container.name
    end
  end)
  table.sort(stale)
  return stale, gone
end

--- A revision as a target, or nil and why it cannot run. `named`: the operator asked for it by name, so a
-- mark as bad does not count.
function target.of_revision(revision, entry, named)
  local definition, missing = task_definitions.read(revision.task_definition)
  if not definition then
    return nil, missing
  end
  local digests = digests_of(revision)
  if not named and marked_bad(definition, digests) then
    return nil, "an earlier run went back from it"
  end
  local stale, gone = look_up_images(definition, digests)
  if gone then
    return nil, gone
  end
  return {
    revision = revision,
    definition = definition,
    digests = digests,
    entry = entry,
    stale = stale,
    inactive = definition.status == "INACTIVE",
  }
end

-- ---- the one before ------------------------------------------------------------------------------

--- The newest place of the stack at or below `from` that can run, or nil; and lines about those passed over.
function target.before(stack, from)
  local notes = {}
  for place = from, 1, -1 do
    local candidate = stack[place]
    local found, why
    if candidate.revision then
      found, why = target.of_revision(candidate.revision, candidate.entry)
    else
      why = "ECS no longer has the revision"
    end
    if found then
      found.notes = notes
      return found, notes
    end
    notes[#notes + 1] = ("passed over %s: %s"):format(
      history.name(candidate.revision) .. (candidate.revision and "" or " (" .. candidate.revision_arn .. ")"),
      why
    )
  end
  return nil, notes
end

-- ---- by name -------------------------------------------------------------------------------------

local function last_part(arn)
  return arn and arn:match("([^/]+)$")
end

-- Whether an entry or its revision is what was typed.
local function is_named(entry, typed)
  local wanted = last_part(typed)
  if last_part(entry.arn) == wanted or last_part(entry.target_arn) == wanted then
    return true
  end
  local revision = entry.target
  if not revision then
    return false
  end
  if last_part(revision.task_definition) == wanted then
    return true
  end
  for _, image in pairs(history.images(revision)) do
    local parts = image.image and images.parse(image.image) or {}
    local is_digest = typed:find("^sha256:") and image.digest and image.digest:find(typed, 1, true) == 1
    if is_digest or image.image == typed or parts.tag == typed or (parts.tag and parts.repository .. ":" .. parts.tag == typed) then
      return true
    end
  end
  return false
end

-- A task definition that never ran in this service can still be gone to, when it is named in full.
local function of_definition(name)
  local definition, missing = task_definitions.read(name)
  if not definition then
    return nil, missing
  end
  local digests, absent = registry.digests(definition)
  if not digests then
    return nil, ("ECR does not have its image %s."):format(absent)
  end
  return {
    definition = definition, digests = digests, stale = {}, inactive = definition.status == "INACTIVE",
    revision = { task_definition = definition.task_definition_arn },
    notes = { "it has not run in this service within the history that ECS keeps" },
  }
end

--- What the operator named: N steps back on the stack; a service deployment, service revision or task
-- definition by ARN or id; FAMILY:REVISION; an image's tag or digest. nil and a sentence when it is nothing.
function target.named(typed, past, stack, top)
  if typed:find("^%d%d?$") then
    local place = top + 1 - tonumber(typed)
    if place < 1 or tonumber(typed) == 0 then
      return nil, ("There are %d versions before what runs now, not %s."):format(math.max(top - 1, 0), typed)
    end
    local found, why = target.of_revision(stack[place].revision or {}, stack[place].entry, true)
    return found, why and ("%s cannot run: %s."):format(history.name(stack[place].revision), why)
  end
  for _, entry in ipairs(past.entries) do
    if is_named(entry, typed) and entry.target then
      local found, why = target.of_revision(entry.target, entry, true)
      return found, why and ("%s cannot run: %s."):format(history.name(entry.target), why)
    end
  end
  if typed:find("^[%w_-]+:%d+$") or typed:find(":task%-definition/") then
    return of_definition(typed)
  end
  return nil, ("Nothing in the history of this service is called %s. `moonbook run history/service` shows what is."):format(typed)
end

-- ---- without a history ---------------------------------------------------------------------------

--- The revision of the family below the present one: a guess, which may never have run here.
function target.guess(service)
  local family, number = service.task_definition:match("([^/]+):(%d+)$")
  local answer = patience.call(ecs.list_task_definitions, {
    family_prefix = family, status = "ACTIVE", sort = "DESC", max_results = 100,
  })
  for _, arn in ipairs(answer.task_definition_arns or {}) do
    if tonumber(arn:match(":(%d+)$")) < tonumber(number) then
      local found, why = of_definition(arn)
      if found then
        found.notes = { "a guess: the revision before in its family, which may never have run in this service" }
      end
      return found, why
    end
  end
  return nil, ("The family %s has no active revision below %s."):format(family, number)
end

--- What UpdateService still lists of before, when there is no history: a deployment that was completed.
function target.listed(service)
  for _, deployment in ipairs(service.deployments or {}) do
    if deployment.status == "ACTIVE" and deployment.rollout_state == "COMPLETED" then
      local found, why = of_definition(deployment.task_definition)
      if found then
        found.notes = { "the service still lists it as completed" }
      end
      return found, why
    end
  end
  return nil
end

return target
