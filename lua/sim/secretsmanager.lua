--- Secrets Manager: secrets, their versions and stages, and their slow deletion.

local facts = require "sim.facts.secretsmanager"
local faults = require "sim.faults"
local util = require "sim.util"

local secretsmanager = { operations = {}, handlers = {} }
local operations = secretsmanager.operations

function secretsmanager.init(_, state)
  state.secrets = {} -- in the order of creation
end

local alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

-- ---- finding -------------------------------------------------------------------------------------

-- By name, ARN, or the ARN without its six characters.
local function find(world, id)
  local list = world:state("secretsmanager").secrets
  for index, secret in ipairs(list) do
    if secret.name == id or secret.arn == id or secret.arn:sub(1, -8) == id then
      return secret, index
    end
  end
end

local function present(world, id)
  return find(world, id) or world:fail("ResourceNotFoundException", facts.errors.missing)
end

-- A secret that is not on its way out.
local function usable(world, id)
  local secret = present(world, id)
  if secret.deleted_at then
    world:fail("InvalidRequestException", facts.errors.deleted)
  end
  return secret
end

local function version_with(secret, stage)
  for _, version in ipairs(secret.versions) do
    if util.holds(version.stages, stage) then
      return version
    end
  end
end

-- ---- versions ------------------------------------------------------------------------------------

local function take_stage(secret, stage)
  for _, version in ipairs(secret.versions) do
    for index = #version.stages, 1, -1 do
      if version.stages[index] == stage then
        table.remove(version.stages, index)
      end
    end
  end
end

-- Gives a version a stage. What was current until then is the previous one.
local function give_stage(secret, version, stage)
  local before = version_with(secret, stage)
  take_stage(secret, stage)
  version.stages[#version.stages + 1] = stage
  if stage == "AWSCURRENT" and before and before ~= version then
    take_stage(secret, "AWSPREVIOUS")
    before.stages[#before.stages + 1] = "AWSPREVIOUS"
  end
end

local function same_value(version, input)
  return version.string == input.secret_string and version.binary == input.secret_binary
end

local function add_version(world, secret, input, stages)
  local id = input.client_request_token or world:uuid()
  for _, version in ipairs(secret.versions) do
    if version.id == id then
      if not same_value(version, input) then
        world:fail("ResourceExistsException", facts.errors.token)
      end
      return version
    end
  end
  local version = {
    id = id, string = input.secret_string, binary = input.secret_binary, created = world:now(), stages = {},
  }
  secret.versions[#secret.versions + 1] = version
  for _, stage in ipairs(stages) do
    give_stage(secret, version, stage)
  end
  local kept = {} -- versions without a stage are forgotten
  for _, entry in ipairs(secret.versions) do
    kept[#kept + 1] = #entry.stages > 0 and entry or nil
  end
  secret.versions = kept
  secret.changed_at = world:now()
  return version
end

local function refuse_both(world, input)
  if input.secret_string and input.secret_binary then
    world:fail("InvalidParameterException", facts.errors.both)
  end
end

-- ---- writing -------------------------------------------------------------------------------------

local function add_tags(world, tags, list)
  for _, tag in ipairs(list or {}) do
    if not tag.key then
      world:fail("InvalidParameterException", facts.errors.tag)
    end
    tags[tag.key] = tag.value or ""
  end
  return tags
end

function operations.create_secret(world, input)
  refuse_both(world, input)
  if not input.name:match("^[%w/_+=.@%-]+$") then
    world:fail("ValidationException", facts.errors.name)
  end
  local before = find(world, input.name)
  if before and before.deleted_at then
    world:fail("InvalidRequestException", facts.errors.scheduled)
  elseif before then
    world:fail("ResourceExistsException", facts.errors.exists:format(input.name))
  end
  local secret = {
    name = input.name, arn = world:arn("secretsmanager", ("secret:%s-%s"):format(input.name, world:id(6, alphabet))),
    description = input.description, key = input.kms_key_id, created_at = world:now(), changed_at = world:now(),
    tags = add_tags(world, {}, input.tags), versions = {},
  }
  local list = world:state("secretsmanager").secrets
  list[#list + 1] = secret
  local version
  if input.secret_string or input.secret_binary then
    version = add_version(world, secret, input, { "AWSCURRENT" })
  end
  return { arn = secret.arn, name = secret.name, version_id = version and version.id }
end

function operations.put_secret_value(world, input)
  local secret = usable(world, input.secret_id)
  refuse_both(world, input)
  if not input.secret_string and not input.secret_binary then
    world:fail("InvalidRequestException", facts.errors.neither)
  end
  local stages = input.version_stages and #input.version_stages > 0 and input.version_stages or { "AWSCURRENT" }
  local version = add_version(world, secret, input, stages)
  return { arn = secret.arn, name = secret.name, version_id = version.id, version_stages = util.copy(version.stages) }
end

function operations.update_secret(world, input)
  local secret = usable(world, input.secret_id)
  refuse_both(world, input)
  secret.description = input.description or secret.description
  secret.key = input.kms_key_id or secret.key
  secret.changed_at = world:now()
  local version
  if input.secret_string or input.secret_binary then
    version = add_version(world, secret, input, { "AWSCURRENT" })
  end
  return { arn = secret.arn, name = secret.name, version_id = version and version.id }
end

local function version_named(world, secret, id)
  for _, version in ipairs(secret.versions) do
    if version.id == id then
      return version
    end
  end
  world:fail("ResourceNotFoundException", facts.errors.version:format(id))
end

function operations.update_secret_version_stage(world, input)
  local secret = usable(world, input.secret_id)
  local holder = version_with(secret, input.version_stage)
  if input.move_to_version_id and holder and holder.id ~= input.move_to_version_id
    and input.remove_from_version_id ~= holder.id then
    world:fail("InvalidParameterException", facts.errors.stage:format(input.version_stage, holder.id))
  end
  if input.move_to_version_id then
    give_stage(secret, version_named(world, secret, input.move_to_version_id), input.version_stage)
  elseif input.remove_from_version_id then
    version_named(world, secret, input.remove_from_version_id)
    take_stage(secret, input.version_stage)
  end
  return { arn = secret.arn, name = secret.name }
end

-- ---- reading -------------------------------------------------------------------------------------

function operations.get_secret_value(world, input)
  local secret = usable(world, input.secret_id)
  local stage = input.version_stage or "AWSCURRENT"
  local version
  if input.version_id then
    version = version_named(world, secret, input.version_id)
    if input.version_stage and not util.holds(version.stages, input.version_stage) then
      world:fail("ResourceNotFoundException", facts.errors.version:format(input.version_id))
    end
  else
    version = version_with(secret, stage)
      or world:fail("ResourceNotFoundException", facts.errors.stageless:format(stage))
  end
  secret.accessed_at = world:now() // 86400 * 86400 -- only the day is known
  return {
    arn = secret.arn, name = secret.name, version_id = version.id, secret_string = version.string,
    secret_binary = version.binary, version_stages = util.copy(version.stages), created_date = version.created,
  }
end

local function show(secret, map_name)
  local tags, stages = {}, {}
  for key, value in util.sorted_pairs(secret.tags) do
    tags[#tags + 1] = { key = key, value = value }
  end
  for _, version in ipairs(secret.versions) do
    stages[version.id] = util.copy(version.stages)
  end
  return {
    arn = secret.arn, name = secret.name, description = secret.description, kms_key_id = secret.key, tags = tags,
    created_date = secret.created_at, last_changed_date = secret.changed_at, last_accessed_date = secret.accessed_at,
    deleted_date = secret.deleted_at, [map_name] = stages,
  }
end

-- What clients see of a secret is what a scenario says of it; the scenario itself sees what it made.
function operations.describe_secret(world, input, caller)
  local secret = present(world, input.secret_id)
  local said = not (caller and caller.scenario) and faults.get(world, "secret", secret.arn)
  if said == "missing" then
    world:fail("ResourceNotFoundException", facts.errors.missing)
  end
  local shown = show(secret, "version_ids_to_stages")
  shown.version_ids_to_stages = said == "no_version" and {} or shown.version_ids_to_stages
  return shown
end

-- No secret has a policy of its own here.
function operations.get_resource_policy(world, input)
  local secret = usable(world, input.secret_id)
  return { arn = secret.arn, name = secret.name }
end

function operations.list_secret_version_ids(world, input)
  local secret = present(world, input.secret_id)
  local list = {}
  for index, version in ipairs(secret.versions) do
    local stages = util.copy(version.stages)
    list[index] = { version_id = version.id, version_stages = stages, created_date = version.created }
  end
  local page, token = world:page(list, input.next_token, input.max_results or 100, "InvalidNextTokenException")
  return { arn = secret.arn, name = secret.name, versions = page, next_token = token }
end

-- Prefixes, any of them, of what the filter's key names; "!" turns one round.
local function passes(secret, filter)
  local texts = { secret.name }
  if filter.key == "description" then
    texts = { secret.description or "" }
  elseif filter.key == "tag-key" or filter.key == "tag-value" or filter.key == "all" then
    texts = filter.key == "all" and { secret.name, secret.description or "" } or {}
    for key, value in util.sorted_pairs(secret.tags) do
      texts[#texts + 1] = filter.key ~= "tag-value" and key or nil
      texts[#texts + 1] = filter.key ~= "tag-key" and value or nil
    end
  end
  for _, wanted in ipairs(filter.values or {}) do
    local negated = wanted:sub(1, 1) == "!"
    local prefix, found = negated and wanted:sub(2) or wanted, false
    for _, text in ipairs(texts) do
      found = found or text:sub(1, #prefix) == prefix
    end
    if found ~= negated then
      return true
    end
  end
  return false
end

function operations.list_secrets(world, input)
  local list = {}
  for _, secret in ipairs(world:state("secretsmanager").secrets) do
    local wanted = input.include_planned_deletion or not secret.deleted_at
    for _, filter in ipairs(input.filters or {}) do
      wanted = wanted and passes(secret, filter)
    end
    list[#list + 1] = wanted and show(secret, "secret_versions_to_stages") or nil
  end
  local page, token = world:page(list, input.next_token, input.max_results or 100, "InvalidNextTokenException")
  return { secret_list = page, next_token = token }
end

-- ---- deletion ------------------------------------------------------------------------------------

function operations.delete_secret(world, input)
  local days = input.recovery_window_in_days
  if days and input.force_delete_without_recovery then
    world:fail("InvalidParameterException", facts.errors.window_and_force)
  elseif days and (days < 7 or days > 30) then
    world:fail("InvalidParameterException", facts.errors.window)
  end
  local secret, index = find(world, input.secret_id)
  if not secret and not input.force_delete_without_recovery then
    world:fail("ResourceNotFoundException", facts.errors.missing)
  elseif not secret then
    return { arn = input.secret_id, name = input.secret_id, deletion_date = world:now() }
  elseif input.force_delete_without_recovery then
    table.remove(world:state("secretsmanager").secrets, index)
    return { arn = secret.arn, name = secret.name, deletion_date = world:now() }
  end
  usable(world, input.secret_id)
  secret.deleted_at = world:now()
  local window = (days or 30) * 86400
  secret.ending = world:after(window, "secretsmanager.gone", { arn = secret.arn })
  return { arn = secret.arn, name = secret.name, deletion_date = world:now() + window }
end

function secretsmanager.handlers.gone(world, args)
  local _, index = find(world, args.arn)
  if index then
    table.remove(world:state("secretsmanager").secrets, index)
  end
end

function operations.restore_secret(world, input)
  local secret = present(world, input.secret_id)
  if secret.ending then
    world:cancel(secret.ending)
  end
  secret.deleted_at, secret.ending = nil, nil
  return { arn = secret.arn, name = secret.name }
end

-- ---- tags ----------------------------------------------------------------------------------------

function operations.tag_resource(world, input)
  add_tags(world, usable(world, input.secret_id).tags, input.tags)
  return {}
end

function operations.untag_resource(world, input)
  local secret = usable(world, input.secret_id)
  for _, key in ipairs(input.tag_keys) do
    secret.tags[key] = nil
  end
  return {}
end

-- ---- doors ---------------------------------------------------------------------------------------

--- What a task with this role reads: the value, or nil and "missing", "no_version" or "denied".
function secretsmanager.read(world, arn, role_arn)
  local secret = find(world, arn)
  local said = faults.get(world, "secret", secret and secret.arn or arn)
  if said then
    return nil, said
  end
  if not require("sim.iam").allows(world, role_arn, "secretsmanager:GetSecretValue", arn) then
    return nil, "denied"
  elseif not secret or secret.deleted_at then
    return nil, "missing"
  end
  local version = version_with(secret, "AWSCURRENT")
  if not version then
    return nil, "no_version"
  end
  return version.string or version.binary
end

return secretsmanager
