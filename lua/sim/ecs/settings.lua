--- Account settings and tags.

local names = require "sim.ecs.names"
local page_of = require("sim.ecs.clusters").page
local texts = require "sim.facts.texts"
local util = require "sim.util"

local settings = { operations = {} }
local operations = settings.operations

-- Every setting with its default. (S, values K)
local defaults = {
  awsvpcTrunking = "disabled", containerInsights = "disabled", containerInstanceLongArnFormat = "enabled",
  defaultLogDriverMode = "blocking", dualStackIPv6 = "enabled", fargateFIPSMode = "disabled",
  fargateTaskRetirementWaitPeriod = "7", guardDutyActivate = "off", serviceLongArnFormat = "enabled",
  tagResourceAuthorization = "off", taskLongArnFormat = "enabled",
}

local function show(world, name, caller)
  local set = world:state("ecs").account[name]
  return {
    name = name, value = set or defaults[name], type = "user",
    principal_arn = caller and caller.arn or world:arn("iam", "root"):gsub(":iam:[^:]*:", ":iam::"),
  }, set ~= nil
end

function operations.list_account_settings(world, input, caller)
  local found = {}
  for name in util.sorted_pairs(defaults) do
    local setting, was_set = show(world, name, caller)
    local asked = not input.name or input.name == name
    local fits = not input.value or input.value == setting.value
    if asked and fits and (was_set or input.effective_settings) then
      found[#found + 1] = setting
    end
  end
  local size = input.max_results
  if size and size < 1 then
    size = nil
  end
  local page, token = page_of(world, found, { max_results = size, next_token = input.next_token }, 100)
  return { settings = page, next_token = token }
end

function operations.put_account_setting(world, input, caller)
  if not defaults[input.name] then
    texts.fail(world, "setting_name", { name = input.name })
  end
  world:state("ecs").account[input.name] = input.value
  return { setting = (show(world, input.name, caller)) }
end

operations.put_account_setting_default = operations.put_account_setting

-- ---- tags ----------------------------------------------------------------------------------------

local function find_cluster(world, path)
  return world:state("ecs").clusters[path]
end

local function find_service(world, path)
  return world:state("ecs").services[path]
end

local function find_task(world, path)
  return world:state("ecs").tasks[util.last_part(path)]
end

local function find_definition(world, path)
  return world:state("ecs").definitions[path]
end

local kinds = {
  cluster = find_cluster, service = find_service, task = find_task, ["task-definition"] = find_definition,
}

-- What an ARN names, if it has tags.
local function resource(world, arn)
  local kind, path = arn:match("^arn:[^:]*:ecs:[^:]*:[^:]*:([%w-]+)/(.+)$")
  local found = kinds[kind] and kinds[kind](world, path)
  if kind == "cluster" or kind == "service" then
    names.cluster(world, path:match("^[^/]+"))
  end
  if not found then
    texts.fail(world, "resource_missing", { arn = arn })
  end
  return found
end

function operations.list_tags_for_resource(world, input)
  return { tags = resource(world, input.resource_arn).tags }
end

function operations.tag_resource(world, input)
  local found = resource(world, input.resource_arn)
  for _, tag in ipairs(input.tags) do
    local known
    for _, old in ipairs(found.tags) do
      known = old.key == tag.key and old or known
    end
    if known then
      known.value = tag.value
    else
      table.insert(found.tags, util.copy(tag))
    end
  end
  return {}
end

function operations.untag_resource(world, input)
  local found = resource(world, input.resource_arn)
  local kept = {}
  for _, tag in ipairs(found.tags) do
    if not util.holds(input.tag_keys, tag.key) then
      kept[#kept + 1] = tag
    end
  end
  found.tags = kept
  return {}
end

return settings
