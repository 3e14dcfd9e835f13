--- What to go back to: found in the history of what really ran, and checked to be runnable.
--
-- A target is { revision, definition = as described, digests = { container = digest }, entry, stale =
-- containers whose reference means another image now, inactive, notes = lines about what was passed over }.
--
-- Uses: ecs.describe_task_definition, ecr.describe_images, ecs.list_task_definitions (a guess only).

local dates = require "moonbook.dates"
local history = require "moonbook.history"
local images = require "moonbook.images"
local registry = require "moonbook.registry"
local services = require "moonbook.services"
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

--- What the mark of a revision that was gone back from says: of which image, when, and by which run.
function target.mark_value(digest, time, run)
  return ("%s %s %s"):format(digest and images.short_digest(digest) or "no digest", dates.exact(time), run)
end

-- Whether a mark is about one of these images.
local function is_of(value, digests)
  for _, digest in pairs(digests) do
    if value:find(images.short_digest(digest), 1, true) then
      return true
    end
  end
  return next(digests) == nil
end

-- Whether an earlier run went back from it, and it was not deployed well since then, which was at `since`.
local function marked_bad(definition, digests, since)
  for _, tag in ipairs(definition.tags or {}) do
    local when = tag.value and tag.value:match("%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d%.%d+")
    local redeemed = when and since and dates.exact(since) > when
    if tag.key == target.BAD and is_of(tag.value, digests) and not redeemed then
      return true
    end
  end
  return false
end

-- What is to be said of an image besides that it is there, by its fate.
local NOTES = {
  unread = "whether its image %s is still in the registry could not be read (denied: ecr:DescribeImages)",
  unknown = "whether %s still means the image that ran cannot be asked of its registry",
}

-- Looks up every container's image: gives the containers whose reference may mean another one now, lines about
-- what could not be known, and the sentence about one that is gone from the registry.
local function look_up_images(definition, digests)
  local region = registry.region(definition.task_definition_arn)
  local stale, notes, gone = {}, {}, nil
  each(definition.container_definitions, function(container)
    local digest = digests[container.name]
    local fate = digest and registry.fate(container.image, digest, region)
    if fate == "gone" then
      gone = ("its image %s (%s) is gone from the registry"):format(
        images.short(container.image),
        images.short_digest(digest)
      )
    elseif fate == "moved" or fate == "unread" and not images.parse(container.image).digest then
      stale[#stale + 1] = container.name
    end
    if NOTES[fate] then
      notes[#notes + 1] = NOTES[fate]:format(images.short(container.image))
    end
  end)
  table.sort(stale)
  table.sort(notes)
  return stale, notes, gone
end

--- A revision as a target, or nil and why it cannot run. `since`: when the newest deployment that left it running
-- was made; with true a mark as bad does not count, as the operator asked for it by name.
function target.of_revision(revision, entry, since)
  local definition, missing = task_definitions.read(revision.task_definition)
  if not definition then
    return nil, missing:gsub("%.$", "")
  end
  local digests = digests_of(revision)
  if since ~= true and marked_bad(definition, digests, since) then
    return nil, "an earlier run went back from it"
  end
  local stale, notes, gone = look_up_images(definition, digests)
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
    notes = notes,
  }
end

-- ---- the one before ------------------------------------------------------------------------------

--- Where in the stack to look first: below what runs; or at its top, when the newest deployment failed and left the
-- service set to something that was never complete. nil and a sentence when the history and the service do not agree.
function target.first_place(service, entries, stack)
  local top, newest = stack[#stack], entries[1]
  local primary = services.primary(service)
  local set_to = primary and primary.task_definition or service.task_definition
  if newest and (newest.status == "STOPPED" or newest.status == "ROLLBACK_FAILED") and newest.target
    and newest.target.task_definition == set_to then
    -- A restart of the last good version that failed would only fail again.
    return history.content(newest.target, "service") == (top.revision and history.content(top.revision, "service"))
      and #stack - 1 or #stack
  end
  if top.revision and top.revision.task_definition ~= set_to then
    return nil, ("The service is set to %s, but its history says that %s was deployed last. Say with --to what to go back to."):format(
      services.revision(set_to),
      history.name(top.revision)
    )
  end
  return #stack - 1
end

--- The newest place of the stack at or below `from` that can run, or nil; and lines about those passed over.
function target.before(stack, from)
  local notes = {}
  for place = from, 1, -1 do
    local candidate = stack[place]
    local found, why
    if candidate.revision then
      found, why = target.of_revision(candidate.revision, candidate.entry, candidate.last.created_at)
    else
      why = "ECS no longer has the revision"
    end
    if found then
      table.move(found.notes, 1, #found.notes, #notes + 1, notes)
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

-- Whether a container's image is what was typed: a tag, REPOSITORY:TAG, a reference, or a digest or its beginning.
local function is_image(image, typed)
  local parts = image.image and images.parse(image.image) or {}
  if typed:find("^sha256:%x%x%x%x") and image.digest then
    return image.digest:sub(1, #typed) == typed
  end
  return image.image == typed
    or parts.tag ~= nil and (parts.tag == typed or parts.repository .. ":" .. parts.tag == typed)
    or image.image ~= nil and image.digest ~= nil and images.by_digest(image.image, image.digest) == typed
end

-- Whether an entry or its revision is what was typed.
local function is_named(entry, typed)
  local revision = entry.target
  local wanted = typed:find("^arn:") and last_part(typed) or typed
  if last_part(entry.arn) == wanted or last_part(entry.target_arn) == wanted then
    return true
  elseif revision and last_part(revision.task_definition) == wanted then
    return true
  end
  for _, image in pairs(revision and history.images(revision) or {}) do
    if is_image(image, typed) then
      return true
    end
  end
  return false
end

-- The entries that are what was typed: those that were complete when there are any, the newest first.
local function entries_named(entries, typed)
  local complete, others = {}, {}
  for _, entry in ipairs(entries) do
    if entry.target and is_named(entry, typed) then
      local list = entry.status == "SUCCESSFUL" and complete or others
      list[#list + 1] = entry
    end
  end
  return #complete > 0 and complete or others
end

-- Whether the beginning of a digest fits several images.
local function is_ambiguous(entries, typed)
  local seen, count = {}, 0
  for _, entry in ipairs(typed:find("^sha256:") and entries or {}) do
    for _, image in pairs(history.images(entry.target)) do
      if is_image(image, typed) and not seen[image.digest] then
        seen[image.digest], count = true, count + 1
      end
    end
  end
  return count > 1
end

-- A task definition that never ran in this service can still be gone to, when it is named in full.
function target.of_definition(name)
  local definition, missing = task_definitions.read(name)
  if not definition then
    return nil, missing
  end
  local digests, absent = registry.digests(definition)
  if absent[1] then
    return nil, ("ECR does not have its image %s: %s."):format(
      images.short(absent[1].reference),
      absent[1].why:gsub("%.$", "")
    )
  end
  return {
    definition = definition, digests = digests, stale = {}, inactive = definition.status == "INACTIVE",
    revision = { task_definition = definition.task_definition_arn },
    notes = { "it has not run in this service within the history that ECS keeps" },
  }
end

local function of_revision_named(revision, entry)
  local found, why = target.of_revision(revision or {}, entry, true)
  return found, why and ("%s cannot run: %s."):format(history.name(revision), why)
end

-- So many steps back, of which the first is the place `from`.
local function of_steps(steps, stack, from)
  if steps == 0 then
    return nil, "--to 0 is no step back: --to 1 is the version before."
  end
  local place = stack[from + 1 - steps]
  if not place then
    return nil, ("The history has only %d version%s to go back to, not %d."):format(from, from == 1 and "" or "s", steps)
  elseif not place.revision then
    return nil, ("ECS no longer has the revision %s."):format(last_part(place.revision_arn))
  end
  return of_revision_named(place.revision, place.entry)
end

--- What the operator named: N steps back on the stack, of which the first is the place `from`; a service
-- deployment, service revision or task definition by ARN or id; FAMILY:REVISION; an image's tag or digest. nil and
-- a sentence when it is nothing.
function target.named(typed, past, stack, from, service_name)
  local steps = typed:find("^%d%d?$") and tonumber(typed)
  if steps and stack[from + 1 - steps] and steps > 0 then
    return of_steps(steps, stack, from)
  end
  local entries = entries_named(past.entries, typed)
  if is_ambiguous(entries, typed) then
    return nil, ("Several images of the history begin with %s: give more of the digest."):format(typed)
  elseif entries[1] then
    return of_revision_named(entries[1].target, entries[1])
  elseif steps then
    return of_steps(steps, stack, from)
  elseif typed:find("^arn:.*:service%-revision/") then
    local revision = history.revisions({ typed })[typed]
    if revision then
      return of_revision_named(revision)
    end
  elseif typed:find("^[%w_-]+:%d+$") or typed:find("^arn:.*:task%-definition/") then
    return target.of_definition(typed)
  end
  return nil, ("Nothing in the history of %s is called %s."):format(service_name, typed)
end

-- ---- without a history ---------------------------------------------------------------------------

--- What UpdateService still lists of before, when there is no history: a deployment that was completed.
function target.listed(service)
  for _, deployment in ipairs(service.deployments or {}) do
    if deployment.status == "ACTIVE" and deployment.rollout_state == "COMPLETED" then
      local found, why = target.of_definition(deployment.task_definition)
      if found then
        found.notes = { "the service still lists it as completed" }
      end
      return found, why
    end
  end
  return nil
end

return target
