--- Which task definitions are the same by what they say, whatever they are called: a copy that a rollback
-- registered and pinned by digest is what it copies, and so is what CI registers anew without a change.
--
-- Uses: ecs.describe_task_definition.

local task_definitions = require "moonbook.task_definitions"

local sameness = {}

local function digests_of(revision)
  local digests = {}
  for _, image in ipairs(revision.container_images or {}) do
    digests[image.container_name] = image.image_digest
  end
  return digests
end

local function key_of(revision)
  return json.encode(digests_of(revision))
end

-- Two task definitions are only the same when the images are: those that share none with others need not be read.
-- Gives lists of revisions, one of each task definition, that ran the same images; `key` of each says which.
local function alike_by_images(revisions)
  local list, by_key, seen = {}, {}, {}
  for _, revision in pairs(revisions) do
    local key = key_of(revision)
    local name = key .. (revision.task_definition or "?")
    if next(digests_of(revision)) ~= nil and not seen[name] then
      seen[name] = true
      if not by_key[key] then
        by_key[key] = { key = key }
        list[#list + 1] = by_key[key]
      end
      table.insert(by_key[key], revision)
    end
  end
  return list
end

-- What a task definition says with these digests in place of its references, a secret as environment values are; nil
-- where it is gone.
local function text_of(revision)
  local definition = task_definitions.read(revision.task_definition)
  if not definition then
    return nil
  end
  local input = task_definitions.pinned(task_definitions.registration(definition), digests_of(revision))
  input.tags = nil
  return json.encode(input)
end

-- { task definition = the one of the group that says the same, its own when it is the first that does }.
local function names_in(group)
  local texts, names = {}, {}
  each(group, function(revision)
    texts[revision.task_definition] = text_of(revision)
  end)
  for place, revision in ipairs(group) do
    local name = revision.task_definition
    names[name] = name
    for earlier = place - 1, 1, -1 do
      local other = group[earlier].task_definition
      if texts[name] ~= nil and texts[other] == texts[name] then
        names[name] = names[other]
      end
    end
  end
  return names
end

--- Names for each of the revisions (by ARN) in `same_as` one task definition that stands for all that say the same
-- as its own, where several ran the same images.
function sameness.find(revisions)
  each(alike_by_images(revisions), function(group)
    local names = #group > 1 and names_in(group) or {}
    for _, revision in pairs(revisions) do
      if key_of(revision) == group.key then
        revision.same_as = names[revision.task_definition]
      end
    end
  end)
end

return sameness
