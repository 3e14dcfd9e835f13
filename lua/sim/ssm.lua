--- Parameter Store: parameters with their versions and labels.

local facts = require "sim.facts.ssm"
local faults = require "sim.faults"
local util = require "sim.util"

local ssm = { operations = {} }
local operations = ssm.operations

function ssm.init(_, state)
  state.parameters = {} -- by name: {versions = list, first = number of the oldest, tags, ...}
end

-- ---- names ---------------------------------------------------------------------------------------

local function arn_of(world, name)
  return world:arn("ssm", "parameter" .. (name:match("^/") and name or "/" .. name))
end

-- A name or ARN, with or without ":3" or ":label", as name and selector.
local function parse(world, text)
  local prefix = world:arn("ssm", "parameter")
  if text:sub(1, #prefix + 1) == prefix .. "/" then
    text = text:sub(#prefix + 1)
    local known = world:state("ssm").parameters
    local plain = text:match("^/([^/:]+)")
    if plain and not known[text:match("^[^:]*")] and known[plain] then
      text = text:sub(2) -- a name without a slash has one in its ARN
    end
  end
  local name, selector = text:match("^([^:]*):([%w_.%-]+)$")
  return name or text, selector
end

local function refuse_bad_name(world, name)
  if not name:match("^[%w_.%-/]+$") or name:match("/") and not name:match("^/") then
    world:fail("ValidationException", facts.errors.name)
  elseif name:lower():match("^/?aws") or name:lower():match("^/?ssm") then
    world:fail("AccessDeniedException", facts.errors.reserved)
  end
end

local function latest(parameter)
  return parameter.versions[#parameter.versions]
end

-- A version of a parameter, or nil.
local function version_of(parameter, selector)
  if not selector then
    return latest(parameter)
  end
  for _, version in ipairs(parameter.versions) do
    if tostring(version.version) == selector or util.holds(version.labels, selector) then
      return version
    end
  end
end

local function find(world, text)
  local name, selector = parse(world, text)
  local parameter = world:state("ssm").parameters[name]
  return parameter, parameter and version_of(parameter, selector), selector
end

-- ---- reading -------------------------------------------------------------------------------------

-- What a reader without the key sees of a SecureString: text that says nothing.
local function sealed(value)
  local sum = 5381
  for index = 1, #value do
    sum = (sum * 33 + value:byte(index)) & 0x7fffffffffffffff
  end
  return ("AQICAHh%016xAAAAZTBjBgkqhkiG9w0BBwagVjBUAgEAME8="):format(sum)
end

local function show(world, parameter, version, input, selector)
  local hidden = version.type == "SecureString" and not input.with_decryption
  return {
    name = parameter.name, type = version.type, version = version.version, arn = arn_of(world, parameter.name),
    value = hidden and sealed(version.value) or version.value, last_modified_date = version.date,
    data_type = version.data_type, selector = selector and ":" .. selector or nil,
  }
end

function operations.get_parameter(world, input)
  local parameter, version, selector = find(world, input.name)
  if not parameter then
    world:fail("ParameterNotFound", facts.errors.missing)
  elseif not version then
    world:fail("ParameterVersionNotFound", facts.errors.version:format(parse(world, input.name)))
  end
  return { parameter = show(world, parameter, version, input, selector) }
end

function operations.get_parameters(world, input)
  local found, invalid = {}, {}
  for _, name in ipairs(input.names) do
    local parameter, version, selector = find(world, name)
    if version then
      found[#found + 1] = show(world, parameter, version, input, selector)
    else
      invalid[#invalid + 1] = name
    end
  end
  return { parameters = found, invalid_parameters = invalid }
end

local function under(path, name, recursive)
  if path ~= "/" then
    path = path:gsub("/$", "") .. "/"
  end
  if name:sub(1, #path) ~= path then
    return false
  end
  return recursive or not name:find("/", #path + 1, true)
end

function operations.get_parameters_by_path(world, input)
  if not input.path:match("^/") then
    world:fail("ValidationException", facts.errors.path)
  end
  local list = {}
  for name, parameter in util.sorted_pairs(world:state("ssm").parameters) do
    if under(input.path, name, input.recursive) then
      list[#list + 1] = show(world, parameter, latest(parameter), input)
    end
  end
  local page, token = world:page(list, input.next_token, input.max_results or 10, "InvalidNextToken")
  return { parameters = page, next_token = token }
end

local function describe(world, parameter, version)
  return {
    name = parameter.name, arn = arn_of(world, parameter.name), type = version.type, version = version.version,
    last_modified_date = version.date, last_modified_user = version.user, description = version.description,
    key_id = version.key_id, tier = version.tier, data_type = version.data_type, policies = {},
    allowed_pattern = version.allowed_pattern,
  }
end

-- One filter of DescribeParameters against a parameter.
local function passes(parameter, version, filter)
  local key = filter.key or ""
  local option = filter.option or "Equals"
  if key == "Path" then
    for _, path in ipairs(filter.values or {}) do
      if under(path, parameter.name, option == "Recursive") then
        return true
      end
    end
    return false
  end
  local tag = key:match("^tag:(.*)$")
  local value = tag and parameter.tags[tag]
    or ({ Name = parameter.name, Type = version.type, KeyId = version.key_id, Tier = version.tier })[key]
  for _, wanted in ipairs(filter.values or {}) do
    local same = value == wanted or key == "Name" and value == "/" .. wanted
    local begins = value and value:sub(1, #wanted) == wanted
    local holds = value and value:find(wanted, 1, true)
    if same or option == "BeginsWith" and begins or option == "Contains" and holds then
      return true
    end
  end
  return tag ~= nil and value ~= nil and #(filter.values or {}) == 0
end

function operations.describe_parameters(world, input)
  local list = {}
  for _, parameter in util.sorted_pairs(world:state("ssm").parameters) do
    local version, wanted = latest(parameter), true
    for _, filter in ipairs(input.parameter_filters or {}) do
      wanted = wanted and passes(parameter, version, filter)
    end
    for _, filter in ipairs(input.filters or {}) do
      local begins = { key = filter.key, values = filter.values, option = "BeginsWith" }
      wanted = wanted and passes(parameter, version, begins)
    end
    wanted = wanted and faults.get(world, "secret", arn_of(world, parameter.name)) ~= "missing"
    list[#list + 1] = wanted and describe(world, parameter, version) or nil
  end
  local page, token = world:page(list, input.next_token, input.max_results or 50, "InvalidNextToken")
  return { parameters = page, next_token = token }
end

function operations.get_parameter_history(world, input)
  local parameter = world:state("ssm").parameters[parse(world, input.name)]
  if not parameter then
    world:fail("ParameterNotFound", facts.errors.missing)
  end
  local list = {}
  for index, version in ipairs(parameter.versions) do
    local entry = describe(world, parameter, version)
    entry.arn = nil
    entry.value = show(world, parameter, version, input).value
    entry.labels = util.copy(version.labels)
    list[index] = entry
  end
  local page, token = world:page(list, input.next_token, input.max_results or 50, "InvalidNextToken")
  return { parameters = page, next_token = token }
end

-- ---- writing -------------------------------------------------------------------------------------

local types = { String = true, StringList = true, SecureString = true }

-- Labels stay with their version; a version that has none gives way when there are too many.
local function forget_oldest(world, parameter)
  if #parameter.versions <= facts.versions then
    return
  elseif #parameter.versions[1].labels > 0 then
    table.remove(parameter.versions)
    world:fail("ParameterMaxVersionLimitExceeded", facts.errors.versions:format(parameter.name))
  end
  table.remove(parameter.versions, 1)
end

function operations.put_parameter(world, input, caller)
  local name = parse(world, input.name)
  refuse_bad_name(world, name)
  local all = world:state("ssm").parameters
  local present = all[name]
  local before = present and latest(present)
  if present and not input.overwrite then
    world:fail("ParameterAlreadyExists", facts.errors.exists)
  elseif present and input.tags and #input.tags > 0 then
    world:fail("ValidationException", facts.errors.tags)
  end
  local kind = input.type or before and before.type
  if not kind then
    world:fail("ValidationException", facts.errors.type)
  elseif not types[kind] then
    world:fail("UnsupportedParameterType", facts.errors.unsupported)
  elseif before and kind ~= before.type and (kind == "SecureString" or before.type == "SecureString") then
    world:fail("ValidationException", facts.errors.change)
  end
  local limit = input.tier == "Advanced" and 8192 or 4096
  if #input.value > limit then
    world:fail("ValidationException", facts.errors.long:format(limit))
  end
  present = present or { name = name, versions = {}, tags = {} }
  for _, tag in ipairs(input.tags or {}) do
    present.tags[tag.key] = tag.value
  end
  present.versions[#present.versions + 1] = {
    version = before and before.version + 1 or 1, type = kind, value = input.value, date = world:now(),
    user = caller and caller.arn, description = input.description or before and before.description,
    key_id = kind == "SecureString" and (input.key_id or "alias/aws/ssm") or nil, tier = input.tier or "Standard",
    data_type = input.data_type or "text", allowed_pattern = input.allowed_pattern, labels = {},
  }
  forget_oldest(world, present)
  all[name] = present
  return { version = latest(present).version, tier = latest(present).tier }
end

function operations.label_parameter_version(world, input)
  local parameter = world:state("ssm").parameters[parse(world, input.name)]
  if not parameter then
    world:fail("ParameterNotFound", facts.errors.missing)
  end
  local version = version_of(parameter, input.parameter_version and ("%d"):format(input.parameter_version))
  if not version then
    world:fail("ParameterVersionNotFound", facts.errors.version:format(parameter.name))
  end
  local invalid = {}
  for _, label in ipairs(input.labels) do
    if label:match("^%d") or label:lower():match("^aws") or label:lower():match("^ssm") then
      invalid[#invalid + 1] = label
    else
      for _, other in ipairs(parameter.versions) do
        for index = #other.labels, 1, -1 do
          if other.labels[index] == label then
            table.remove(other.labels, index)
          end
        end
      end
      version.labels[#version.labels + 1] = label
    end
  end
  return { invalid_labels = invalid, parameter_version = version.version }
end

function operations.delete_parameter(world, input)
  local all = world:state("ssm").parameters
  local name = parse(world, input.name)
  if not all[name] then
    world:fail("ParameterNotFound", facts.errors.missing)
  end
  all[name] = nil
  return {}
end

function operations.delete_parameters(world, input)
  local all = world:state("ssm").parameters
  local deleted, invalid = {}, {}
  for _, text in ipairs(input.names) do
    local name = parse(world, text)
    local list = all[name] and deleted or invalid
    list[#list + 1] = text
    all[name] = nil
  end
  return { deleted_parameters = deleted, invalid_parameters = invalid }
end

-- ---- tags ----------------------------------------------------------------------------------------

local function tagged(world, input)
  local parameter = world:state("ssm").parameters[parse(world, input.resource_id)]
  return input.resource_type == "Parameter" and parameter or world:fail("InvalidResourceId", "")
end

function operations.add_tags_to_resource(world, input)
  local tags = tagged(world, input).tags
  for _, tag in ipairs(input.tags) do
    tags[tag.key] = tag.value
  end
  return {}
end

function operations.remove_tags_from_resource(world, input)
  local tags = tagged(world, input).tags
  for _, key in ipairs(input.tag_keys) do
    tags[key] = nil
  end
  return {}
end

function operations.list_tags_for_resource(world, input)
  local out = {}
  for key, value in util.sorted_pairs(tagged(world, input).tags) do
    out[#out + 1] = { key = key, value = value }
  end
  return { tag_list = out }
end

-- ---- doors ---------------------------------------------------------------------------------------

--- What a task with this role reads: the value, or nil and "missing" or "denied".
function ssm.read(world, name_or_arn, role_arn)
  local name = parse(world, name_or_arn)
  local arn = arn_of(world, name)
  local said = faults.get(world, "secret", arn)
  if said then
    return nil, said == "denied" and "denied" or "missing"
  end
  if not require("sim.iam").allows(world, role_arn, "ssm:GetParameters", arn) then
    return nil, "denied"
  end
  local _, version = find(world, name_or_arn)
  if not version then
    return nil, "missing"
  end
  return version.value
end

return ssm
