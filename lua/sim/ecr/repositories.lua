--- Operations on repositories: making, describing, deleting them, their settings, policies and tags.

local facts = require "sim.facts.ecr"
local json = require "sim.json"
local store = require "sim.ecr.store"
local util = require "sim.util"

local operations = {}

local function check_mutability(world, value, filters)
  local words = { "MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION" }
  if value and not util.holds(words, value) then
    world:fail("InvalidParameterException", facts.texts.mutability:format(table.concat(words, ", ")))
  end
  local excludes = value ~= nil and value:find("EXCLUSION") ~= nil
  if excludes ~= (filters ~= nil and filters[1] ~= nil) then
    world:fail("InvalidParameterException", facts.texts.filters)
  end
end

local function tag_map(tags)
  local map = {}
  for _, tag in ipairs(tags or {}) do
    map[tag.key] = tag.value
  end
  return map
end

function operations.create_repository(world, input)
  local name = input.repository_name
  if not store.is_name(name) then
    world:fail("InvalidParameterException", facts.texts.name_invalid)
  elseif store.find(world, name) then
    world:fail("RepositoryAlreadyExistsException", store.text(world, "repository_exists", name))
  end
  check_mutability(world, input.image_tag_mutability, input.image_tag_mutability_exclusion_filters)
  local scanning = input.image_scanning_configuration or {}
  local repository = store.create(world, name, {
    mutability = input.image_tag_mutability, filters = util.copy(input.image_tag_mutability_exclusion_filters),
    scan_on_push = scanning.scan_on_push, encryption = util.copy(input.encryption_configuration),
    tags = tag_map(input.tags),
  })
  return { repository = store.shown(world, repository) }
end

function operations.delete_repository(world, input)
  local repository = store.repository(world, input)
  if repository.images[1] and not input.force then
    world:fail("RepositoryNotEmptyException", store.text(world, "repository_not_empty", repository.name))
  end
  world:state("ecr").repositories[repository.name] = nil
  return { repository = store.shown(world, repository) }
end

function operations.describe_repositories(world, input)
  local list = {}
  if input.repository_names and input.repository_names[1] then
    for index, name in ipairs(input.repository_names) do
      local named = { repository_name = name, registry_id = input.registry_id }
      list[index] = store.shown(world, store.repository(world, named))
    end
  else
    for _, repository in util.sorted_pairs(world:state("ecr").repositories) do
      list[#list + 1] = store.shown(world, repository)
    end
  end
  local page, token = world:page(list, input.next_token, input.max_results or facts.limits.page)
  return { repositories = page, next_token = token }
end

function operations.put_image_tag_mutability(world, input)
  local repository = store.repository(world, input)
  check_mutability(world, input.image_tag_mutability, input.image_tag_mutability_exclusion_filters)
  repository.mutability = input.image_tag_mutability
  repository.filters = util.copy(input.image_tag_mutability_exclusion_filters or {})
  return {
    registry_id = world.data.account, repository_name = repository.name,
    image_tag_mutability = repository.mutability,
    image_tag_mutability_exclusion_filters = repository.filters[1] and util.copy(repository.filters) or nil,
  }
end

function operations.put_image_scanning_configuration(world, input)
  local repository = store.repository(world, input)
  repository.scan_on_push = input.image_scanning_configuration.scan_on_push or false
  return {
    registry_id = world.data.account, repository_name = repository.name,
    image_scanning_configuration = { scan_on_push = repository.scan_on_push },
  }
end

-- ---- repository policies -------------------------------------------------------------------------

local function policy_answer(world, repository, text)
  return { registry_id = world.data.account, repository_name = repository.name, policy_text = text }
end

function operations.set_repository_policy(world, input)
  local repository = store.repository(world, input)
  local document = json.object_of(input.policy_text)
  if not document or type(document.Statement) ~= "table" then
    world:fail("InvalidParameterException", facts.texts.policy_invalid)
  end
  repository.policy = input.policy_text
  return policy_answer(world, repository, repository.policy)
end

local function required_policy(world, repository)
  if not repository.policy then
    world:fail("RepositoryPolicyNotFoundException", store.text(world, "policy_missing", repository.name))
  end
  return repository.policy
end

-- There are none: see docs/simulator.md.
function operations.describe_pull_through_cache_rules()
  return { pull_through_cache_rules = {} }
end

function operations.get_repository_policy(world, input)
  local repository = store.repository(world, input)
  return policy_answer(world, repository, required_policy(world, repository))
end

function operations.delete_repository_policy(world, input)
  local repository = store.repository(world, input)
  local text = required_policy(world, repository)
  repository.policy = nil
  return policy_answer(world, repository, text)
end

-- ---- tags of repositories ------------------------------------------------------------------------

local function by_arn(world, arn)
  local name = arn:match(":repository/(.+)$")
  return store.repository(world, { repository_name = name or arn })
end

function operations.list_tags_for_resource(world, input)
  local tags = {}
  for key, value in util.sorted_pairs(by_arn(world, input.resource_arn).resource_tags) do
    tags[#tags + 1] = { key = key, value = value }
  end
  return { tags = tags }
end

function operations.tag_resource(world, input)
  local repository = by_arn(world, input.resource_arn)
  for _, tag in ipairs(input.tags) do
    repository.resource_tags[tag.key] = tag.value
  end
end

function operations.untag_resource(world, input)
  local repository = by_arn(world, input.resource_arn)
  for _, key in ipairs(input.tag_keys) do
    repository.resource_tags[key] = nil
  end
end

-- ---- the registry itself -------------------------------------------------------------------------

function operations.describe_registry(world)
  return { registry_id = world.data.account, replication_configuration = { rules = {} } }
end

local settings = {
  BLOB_MOUNTING = { "DISABLED", "ENABLED" },
  BASIC_SCAN_TYPE_VERSION = { "AWS_NATIVE", "CLAIR" },
  REGISTRY_POLICY_SCOPE = { "V2", "V1" },
}

local function setting_values(world, name)
  if not settings[name] then
    world:fail("InvalidParameterException", ("Invalid parameter at 'name' failed to satisfy constraint: "
      .. "'%s is not an account setting'"):format(name))
  end
  return settings[name]
end

function operations.get_account_setting(world, input)
  local values = setting_values(world, input.name)
  return { name = input.name, value = world:state("ecr").settings[input.name] or values[1] }
end

function operations.put_account_setting(world, input)
  if not util.holds(setting_values(world, input.name), input.value) then
    world:fail("InvalidParameterException", ("Invalid parameter at 'value' failed to satisfy constraint: "
      .. "'%s is not a value of %s'"):format(input.value, input.name))
  end
  world:state("ecr").settings[input.name] = input.value
  return { name = input.name, value = input.value }
end

return operations
