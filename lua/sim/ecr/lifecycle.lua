--- Lifecycle policies: kept, previewed, and carried out once a day.

local facts = require "sim.facts.ecr"
local images = require "sim.ecr.images"
local json = require "sim.json"
local store = require "sim.ecr.store"
local util = require "sim.util"

local operations, handlers = {}, {}

-- ---- reading a policy ----------------------------------------------------------------------------

local function rule_problem(rule)
  local selection = type(rule) == "table" and type(rule.selection) == "table" and rule.selection
  local action = selection and type(rule.action) == "table" and rule.action
  if not action or math.type(rule.rulePriority) ~= "integer" then
    return "instance failed to match exactly one schema"
  elseif not util.holds({ "tagged", "untagged", "any" }, selection.tagStatus) then
    return "tagStatus is not one of tagged, untagged, any"
  elseif not util.holds({ "imageCountMoreThan", "sinceImagePushed" }, selection.countType) then
    return ("countType %s is not simulated"):format(tostring(selection.countType))
  elseif math.type(selection.countNumber) ~= "integer" or selection.countNumber < 1 then
    return "countNumber is not a positive integer"
  elseif selection.countType == "sinceImagePushed" and selection.countUnit ~= "days" then
    return "countUnit must be days with sinceImagePushed"
  elseif action.type ~= "expire" then
    return ("action %s is not simulated"):format(tostring(action.type))
  end
  local lists = (selection.tagPrefixList and 1 or 0) + (selection.tagPatternList and 1 or 0)
  if (selection.tagStatus == "tagged") ~= (lists == 1) then
    return "tagPrefixList or tagPatternList is given with, and only with, tagStatus tagged"
  end
end

-- The rules of a policy in order of their priority, or nil and what is wrong.
local function read_policy(text)
  local document = json.object_of(text)
  local rules = document and document.rules
  if type(rules) ~= "table" or not rules[1] then
    return nil, "string is not a lifecycle policy"
  end
  local seen = {}
  for _, rule in ipairs(rules) do
    local problem = rule_problem(rule)
    if problem then
      return nil, problem
    elseif seen[rule.rulePriority] then
      return nil, "rulePriority must be unique"
    end
    seen[rule.rulePriority] = true
  end
  table.sort(rules, function(a, b)
    return a.rulePriority < b.rulePriority
  end)
  return rules
end

local function required_rules(world, text)
  local rules, problem = read_policy(text)
  if not rules then
    world:fail("InvalidParameterException", facts.texts.lifecycle_invalid:format(problem))
  end
  return rules
end

-- ---- what it would do ----------------------------------------------------------------------------

local function has_tag_like(tags, patterns, prefix)
  for _, pattern in ipairs(patterns) do
    for _, tag in ipairs(tags) do
      if prefix and tag:sub(1, #pattern) == pattern or not prefix and store.fits(tag, pattern) then
        return true
      end
    end
  end
  return false
end

-- An image is covered when one of its tags fits one of the prefixes or patterns.
local function fits(selection, tags)
  if selection.tagStatus == "any" then
    return true
  elseif selection.tagStatus == "untagged" then
    return tags[1] == nil
  elseif selection.tagPrefixList then
    return has_tag_like(tags, selection.tagPrefixList, true)
  end
  return has_tag_like(tags, selection.tagPatternList, false)
end

-- Images that a rule covers, newest first, and not decided by an earlier rule.
local function covered(repository, selection, decided)
  local list = {}
  for _, image in ipairs(repository.images) do
    if not decided[image.digest] and fits(selection, store.tags_of(repository, image)) then
      list[#list + 1] = image
    end
  end
  table.sort(list, function(a, b)
    if a.pushed_at ~= b.pushed_at then
      return a.pushed_at > b.pushed_at
    end
    return a.digest < b.digest
  end)
  return list
end

-- What the rules would expire: a list of {image, priority}.
local function expiring(world, repository, rules)
  local decided, list = {}, {}
  for _, rule in ipairs(rules) do
    local selection = rule.selection
    for index, image in ipairs(covered(repository, selection, decided)) do
      local old = world:now() - image.pushed_at > (selection.countNumber * 86400)
      local more = index > selection.countNumber
      if selection.countType == "imageCountMoreThan" and more or selection.countType == "sinceImagePushed" and old then
        list[#list + 1] = { image = image, priority = rule.rulePriority }
      end
      decided[image.digest] = true -- the rule with the lowest number decides, kept or not
    end
  end
  return list
end

-- ---- keeping policies ----------------------------------------------------------------------------

local function required_policy(world, repository)
  if not repository.lifecycle then
    world:fail("LifecyclePolicyNotFoundException", store.text(world, "lifecycle_missing", repository.name))
  end
  return repository.lifecycle
end

local function answer(world, repository, policy)
  return {
    registry_id = world.data.account, repository_name = repository.name, lifecycle_policy_text = policy.text,
    last_evaluated_at = policy.evaluated_at,
  }
end

function operations.put_lifecycle_policy(world, input)
  local repository = store.repository(world, input)
  required_rules(world, input.lifecycle_policy_text)
  if not repository.lifecycle then
    world:after(facts.durations.lifecycle, "ecr.lifecycle", { repository = repository.name })
  end
  repository.lifecycle = { text = input.lifecycle_policy_text }
  return answer(world, repository, { text = input.lifecycle_policy_text })
end

function operations.get_lifecycle_policy(world, input)
  local repository = store.repository(world, input)
  return answer(world, repository, required_policy(world, repository))
end

function operations.delete_lifecycle_policy(world, input)
  local repository = store.repository(world, input)
  local policy = required_policy(world, repository)
  repository.lifecycle = nil
  return answer(world, repository, policy)
end

--- Carries the policy out now: what is due goes.
local function apply(world, repository)
  local policy = repository.lifecycle
  policy.evaluated_at = world:now()
  for _, due in ipairs(expiring(world, repository, read_policy(policy.text))) do
    images.remove(repository, due.image)
  end
end

function handlers.lifecycle(world, args)
  local repository = store.find(world, args.repository)
  if repository and repository.lifecycle then
    apply(world, repository)
    world:after(facts.durations.lifecycle, "ecr.lifecycle", args)
  end
end

-- ---- previews ------------------------------------------------------------------------------------

function operations.start_lifecycle_policy_preview(world, input)
  local repository = store.repository(world, input)
  local text = input.lifecycle_policy_text or required_policy(world, repository).text
  required_rules(world, text)
  if repository.preview and not repository.preview.results then
    world:fail("LifecyclePolicyPreviewInProgressException", facts.texts.preview_running:format(repository.name))
  end
  repository.preview = { text = text }
  world:after(facts.durations.preview, "ecr.previewed", { repository = repository.name })
  return {
    registry_id = world.data.account, repository_name = repository.name, lifecycle_policy_text = text,
    status = "IN_PROGRESS",
  }
end

function handlers.previewed(world, args)
  local repository = store.find(world, args.repository)
  local preview = repository and repository.preview
  if not preview or preview.results then
    return
  end
  preview.results = {}
  for index, due in ipairs(expiring(world, repository, read_policy(preview.text))) do
    local tags = store.tags_of(repository, due.image)
    preview.results[index] = {
      image_tags = tags[1] and tags or nil, image_digest = due.image.digest,
      image_pushed_at = due.image.pushed_at, action = { type = "EXPIRE" }, applied_rule_priority = due.priority,
    }
  end
end

function operations.get_lifecycle_policy_preview(world, input)
  local repository = store.repository(world, input)
  local preview = repository.preview
  if not preview then
    world:fail("LifecyclePolicyPreviewNotFoundException", store.text(world, "preview_missing", repository.name))
  end
  local out = {
    registry_id = world.data.account, repository_name = repository.name, lifecycle_policy_text = preview.text,
    status = preview.results and "COMPLETE" or "IN_PROGRESS",
  }
  if preview.results then
    out.preview_results, out.next_token =
      world:page(preview.results, input.next_token, input.max_results or facts.limits.page)
    out.summary = { expiring_image_total_count = #preview.results }
  end
  return out
end

return { operations = operations, handlers = handlers, apply = apply }
