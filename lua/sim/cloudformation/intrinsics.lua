--- The functions of templates: what they refer to, and what they give.
--
-- A scope says what the names of a template mean: {world, stack = {id, name}, document, parameters,
-- conditions = {}, resources = by logical id {type, physical, attributes}, unknown = set of logical ids
-- whose values come only with the change}.

local base64 = require "sim.base64"
local facts = require "sim.facts.cloudformation"
local json = require "sim.json"
local util = require "sim.util"

local intrinsics = {}

-- What stands for a value that is not known before a change is made. K
local later = "{{changeSet:KNOWN_AFTER_APPLY}}"
intrinsics.later = later

-- A property with this value is as good as left out.
local no_value = {}

local function wrong(scope, text, ...)
  scope.world:fail("ValidationError", facts.errors.template:format(text:format(...)))
end

-- The function of a value and its argument: {"Fn::Join": [...]} gives "Fn::Join" and the list.
local function function_of(value)
  if type(value) ~= "table" then
    return nil
  end
  local name = next(value)
  if type(name) ~= "string" then
    return nil
  end
  for other in pairs(value) do
    if other ~= name then
      return nil
    end
  end
  local condition = name == "Condition" and type(value[name]) == "string" -- policies have conditions of their own
  if name == "Ref" or condition or name:find("^Fn::") then
    return name, value[name]
  end
end

-- ---- what a value refers to ----------------------------------------------------------------------

local function attribute_of(argument)
  if type(argument) == "table" then
    return argument[1], argument[2]
  end
  return tostring(argument):match("^([^.]+)%.(.+)$")
end

-- Calls `found(name, attribute)` for all names that a text of Fn::Sub holds, but its own variables.
local function walk_text(text, own, found)
  for name in text:gmatch("%${([^!][^}]*)}") do
    local logical, attribute = name:match("^([^.]+)%.(.+)$")
    if type(own) ~= "table" or own[name] == nil then
      found(logical or name, attribute)
    end
  end
end

--- Calls `found(name, attribute)` for each Ref, Fn::GetAtt and Fn::Sub in a value.
function intrinsics.walk(value, found)
  if type(value) ~= "table" then
    return
  end
  local name, argument = function_of(value)
  if name == "Ref" then
    return found(argument)
  elseif name == "Fn::GetAtt" then
    local logical, attribute = attribute_of(argument)
    if type(attribute) == "table" then
      intrinsics.walk(attribute, found)
    end
    return found(logical, attribute)
  elseif name == "Fn::Sub" then
    local text, own = argument, nil
    if type(argument) == "table" then
      text, own = argument[1], argument[2]
    end
    walk_text(tostring(text), own, found)
    return intrinsics.walk(own, found)
  end
  for _, item in util.sorted_pairs(value) do
    intrinsics.walk(item, found)
  end
end

--- The resources that must be there before a resource of the template, in order.
function intrinsics.dependencies(document, logical)
  local resource, out, seen = document.Resources[logical], {}, {}
  local function add(name)
    if document.Resources[name] and name ~= logical and not seen[name] then
      seen[name] = true
      out[#out + 1] = name
    end
  end
  local explicit = resource.DependsOn
  for _, name in ipairs(type(explicit) == "table" and explicit or { explicit }) do
    add(name)
  end
  intrinsics.walk(resource.Properties, add)
  table.sort(out)
  return out
end

local function check_names(world, document, value, where)
  local missing = {}
  intrinsics.walk(value, function(name, attribute)
    local known = document.Resources[name]
      or not attribute and (document.Parameters or {})[name] or tostring(name):find("^AWS::")
    if not known and not util.holds(missing, tostring(name)) then
      missing[#missing + 1] = tostring(name)
    end
  end)
  if missing[1] then
    world:fail("ValidationError", facts.errors.format:format(
      facts.errors.unresolved:format(table.concat(missing, ", "), where)))
  end
end

-- Fails when resources wait for each other in a circle.
local function check_circles(world, document)
  local waits, left = {}, 0
  for name in util.sorted_pairs(document.Resources) do
    waits[name], left = intrinsics.dependencies(document, name), left + 1
  end
  local done, progress = {}, true
  while progress do
    progress = false
    for name, list in util.sorted_pairs(waits) do
      local ready = not done[name]
      for _, other in ipairs(list) do
        ready = ready and done[other]
      end
      if ready then
        done[name], progress, left = true, true, left - 1
      end
    end
  end
  if left > 0 then
    local names = {}
    for name in util.sorted_pairs(waits) do
      names[#names + 1] = not done[name] and name or nil
    end
    world:fail("ValidationError", facts.errors.circular:format(table.concat(names, ", ")))
  end
end

--- Fails when a template refers to what it does not have, or in circles.
function intrinsics.check(world, document)
  for _, resource in util.sorted_pairs(document.Resources) do
    check_names(world, document, resource.Properties, "Resources")
    local explicit = resource.DependsOn
    for _, name in ipairs(type(explicit) == "table" and explicit or { explicit }) do
      check_names(world, document, { Ref = name }, "Resources")
    end
  end
  for _, output in util.sorted_pairs(document.Outputs or {}) do
    check_names(world, document, type(output) == "table" and output.Value or nil, "Outputs")
  end
  check_circles(world, document)
end

-- ---- names ---------------------------------------------------------------------------------------

local suffixes = { ["cn-"] = "amazonaws.com.cn" }

local function pseudo(scope, name)
  local data = scope.world.data
  if name == "AWS::NoValue" then
    return no_value
  elseif name == "AWS::NotificationARNs" then
    return {}
  end
  return ({
    ["AWS::AccountId"] = data.account, ["AWS::Region"] = data.region, ["AWS::StackName"] = scope.stack.name,
    ["AWS::StackId"] = scope.stack.id, ["AWS::Partition"] = "aws",
    ["AWS::URLSuffix"] = suffixes[data.region:sub(1, 3)] or "amazonaws.com",
  })[name]
end

local function parameter_value(parameter)
  local value = parameter.resolved or parameter.value
  if parameter.type:find("List", 1, true) then
    local out = {}
    for item in value:gmatch("[^,]+") do
      out[#out + 1] = item:match("^%s*(.-)%s*$")
    end
    return out
  end
  return value
end

local function reference(scope, name)
  local parameter = scope.parameters[name]
  if parameter then
    return parameter_value(parameter)
  elseif scope.unknown and scope.unknown[name] then
    return later
  end
  local value = pseudo(scope, name)
  if value ~= nil then
    return value
  end
  local resource = scope.resources[name]
  return resource and resource.physical or wrong(scope, "Unresolved resource dependencies [%s]", tostring(name))
end

local function attribute(scope, logical, name)
  if scope.unknown and scope.unknown[logical] then
    return later
  end
  local resource = scope.resources[logical]
  if not resource then
    wrong(scope, "instance of Fn::GetAtt references undefined resource %s", tostring(logical))
  end
  local value = resource.attributes[name]
  if value ~= nil then
    return util.copy(value)
  elseif not resource.opaque then
    scope.world:fail("ValidationError", facts.errors.attribute:format(tostring(name), resource.type))
  end
  return ("%s.%s"):format(resource.physical, tostring(name)) -- of a type that the simulator does not have
end

-- ---- functions -----------------------------------------------------------------------------------

local resolve
local functions = {}

local function text_of(scope, value)
  value = resolve(scope, value)
  if type(value) == "table" then
    wrong(scope, "every value that is joined or substituted must be a string")
  end
  return math.type(value) == "float" and value == math.floor(value) and ("%d"):format(value) or tostring(value)
end

functions["Ref"] = function(scope, argument)
  return reference(scope, argument)
end

functions["Fn::GetAtt"] = function(scope, argument)
  local logical, name = attribute_of(argument)
  return attribute(scope, logical, type(name) == "table" and resolve(scope, name) or name)
end

functions["Fn::Join"] = function(scope, argument)
  if type(argument) ~= "table" or type(argument[1]) ~= "string" then
    wrong(scope, "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings")
  end
  local parts, list = {}, resolve(scope, argument[2])
  if list == later then
    return later
  end
  for index, item in ipairs(type(list) == "table" and list or {}) do
    parts[index] = text_of(scope, item)
  end
  return table.concat(parts, argument[1])
end

functions["Fn::Sub"] = function(scope, argument)
  local text, own = argument, {}
  if type(argument) == "table" then
    text, own = argument[1], argument[2] or own
  end
  if type(text) ~= "string" then
    wrong(scope, "every Fn::Sub object must have a string as its first parameter")
  end
  return (text:gsub("%${([^}]*)}", function(name)
    if name:sub(1, 1) == "!" then
      return "${" .. name:sub(2) .. "}"
    elseif own[name] ~= nil then
      return text_of(scope, own[name])
    end
    local logical, member = name:match("^([^.]+)%.(.+)$")
    return text_of(scope, logical and attribute(scope, logical, member) or not logical and reference(scope, name) or "")
  end))
end

functions["Fn::Select"] = function(scope, argument)
  local index, list = tonumber(tostring(resolve(scope, argument[1]))), resolve(scope, argument[2])
  if list == later then
    return later
  elseif not index or type(list) ~= "table" or list[index + 1] == nil then
    wrong(scope, "Fn::Select cannot select nonexistent value at index %s", tostring(argument[1]))
  end
  return list[index + 1]
end

functions["Fn::Split"] = function(scope, argument)
  local mark, text, out, start = argument[1], text_of(scope, argument[2]), {}, 1
  while true do
    local at, stop = text:find(mark, start, true)
    out[#out + 1] = text:sub(start, (at or #text + 1) - 1)
    if not at or stop < at then
      return out
    end
    start = stop + 1
  end
end

functions["Fn::Base64"] = function(scope, argument)
  return base64.encode(text_of(scope, argument))
end

functions["Fn::FindInMap"] = function(scope, argument)
  local keys = {}
  for index = 1, 3 do
    keys[index] = text_of(scope, argument[index])
  end
  local value = scope.document.Mappings
  for _, key in ipairs(keys) do
    value = type(value) == "table" and value[key] or nil
  end
  if value == nil then
    wrong(scope, "Unable to get mapping for %s::%s::%s", table.unpack(keys))
  end
  return util.copy(value)
end

functions["Fn::GetAZs"] = function(scope, argument)
  local region, out = text_of(scope, argument), {}
  region = region ~= "" and region or scope.world.data.region
  for index, letter in ipairs { "a", "b", "c" } do
    out[index] = region .. letter
  end
  return out
end

functions["Fn::ImportValue"] = function(scope, argument)
  local name = text_of(scope, argument)
  local export = require("sim.cloudformation.stacks").export(scope.world, name)
  if not export then
    scope.world:fail("ValidationError", facts.errors.export_missing:format(name))
  end
  return export.value
end

functions["Fn::Cidr"] = function(scope, argument)
  local block, count, bits = text_of(scope, argument[1]), tonumber(text_of(scope, argument[2])), nil
  bits = tonumber(text_of(scope, argument[3] or "8"))
  local a, b, c, d = block:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)/%d+$")
  if not a or not count or not bits or bits > 32 or count > 256 then
    wrong(scope, "Fn::Cidr needs an IPv4 block, a count and a number of bits")
  end
  local first, out = tonumber(a) << 24 | tonumber(b) << 16 | tonumber(c) << 8 | tonumber(d), {}
  for index = 0, count - 1 do
    local at = first + (index << bits)
    out[#out + 1] = ("%d.%d.%d.%d/%d"):format(at >> 24 & 255, at >> 16 & 255, at >> 8 & 255, at & 255, 32 - bits)
  end
  return out
end

functions["Fn::ToJsonString"] = function(scope, argument)
  return json.encode(resolve(scope, argument))
end

-- ---- conditions ----------------------------------------------------------------------------------

local function is_true(scope, value)
  local result = resolve(scope, value)
  return result == true or result == "true"
end

functions["Fn::Equals"] = function(scope, argument)
  local a, b = resolve(scope, argument[1]), resolve(scope, argument[2])
  return tostring(a) == tostring(b)
end

functions["Fn::Not"] = function(scope, argument)
  return not is_true(scope, argument[1])
end

functions["Fn::And"] = function(scope, argument)
  for _, item in ipairs(argument) do
    if not is_true(scope, item) then
      return false
    end
  end
  return true
end

functions["Fn::Or"] = function(scope, argument)
  for _, item in ipairs(argument) do
    if is_true(scope, item) then
      return true
    end
  end
  return false
end

--- Whether a condition of the template holds.
function intrinsics.holds(scope, name)
  local known = scope.conditions[name]
  if known == nil then
    local declared = (scope.document.Conditions or {})[name]
    if declared == nil then
      wrong(scope, "Unresolved condition dependency %s", tostring(name))
    end
    scope.conditions[name] = "open"
    known = is_true(scope, declared)
    scope.conditions[name] = known
  elseif known == "open" then
    wrong(scope, "Circular dependencies among conditions: [%s]", tostring(name))
  end
  return known
end

functions["Condition"] = function(scope, argument)
  return intrinsics.holds(scope, argument)
end

functions["Fn::If"] = function(scope, argument)
  return resolve(scope, intrinsics.holds(scope, argument[1]) and argument[2] or argument[3])
end

-- ---- values --------------------------------------------------------------------------------------

-- "{{resolve:ssm:NAME[:VERSION]}}" and "{{resolve:secretsmanager:ID:SecretString[:KEY]}}".
local function dynamic(scope, text)
  return (text:gsub("{{resolve:([%w-]+):(.-)}}", function(service, rest)
    local call = function(name, operation, input)
      local answer = scope.world:call(name, operation, input, { scenario = true })
      return answer.output or scope.world:fail("ValidationError", answer.error.message)
    end
    if service == "ssm" or service == "ssm-secure" then
      return call("ssm", "get_parameter", { name = rest, with_decryption = true }).parameter.value
    elseif service == "secretsmanager" then
      local id, key = rest:match("^(.-):SecretString:?([^:]*)")
      local value = call("secretsmanager", "get_secret_value", { secret_id = id or rest }).secret_string or ""
      if not key or key == "" then
        return value
      end
      local document = json.object_of(value)
      return document and tostring(document[key])
        or scope.world:fail("ValidationError", ("Could not find a value associated with JSONKey in SecretString"))
    end
  end))
end

-- Functions whose argument is a list, and how many parts it has at least.
local lists = {
  ["Fn::Join"] = 2, ["Fn::Select"] = 2, ["Fn::Split"] = 2, ["Fn::FindInMap"] = 3, ["Fn::If"] = 3, ["Fn::Equals"] = 2,
  ["Fn::Not"] = 1, ["Fn::And"] = 2, ["Fn::Or"] = 2, ["Fn::Cidr"] = 2,
}

local function check_argument(scope, name, argument)
  local least = lists[name]
  if least and (type(argument) ~= "table" or #argument < least) then
    wrong(scope, "every %s object requires a list of at least %d parameters", name, least)
  elseif (name == "Ref" or name == "Condition") and type(argument) ~= "string" then
    wrong(scope, "every %s object must have a single String value.", name)
  elseif name == "Fn::Split" and type(argument[1]) ~= "string" then
    wrong(scope, "every Fn::Split object requires a string delimiter")
  elseif name == "Fn::Sub" and type(argument) == "table" and argument[2] ~= nil and type(argument[2]) ~= "table" then
    wrong(scope, "every Fn::Sub object requires a map as its second parameter")
  end
end

local function resolve_parts(scope, value)
  local out, length = {}, #value
  if length > 0 then
    for index = 1, length do
      local item = resolve(scope, value[index])
      if item ~= no_value then
        out[#out + 1] = item
      end
    end
    return out
  end
  for key, item in util.sorted_pairs(value) do
    item = resolve(scope, item)
    if item ~= no_value then
      out[key] = item
    end
  end
  return out
end

function resolve(scope, value)
  if type(value) == "string" and value:find("{{resolve:", 1, true) then
    return scope.unknown and value or dynamic(scope, value)
  elseif type(value) ~= "table" or value == no_value then
    return value
  end
  local name, argument = function_of(value)
  if name then
    local run = functions[name]
    if not run then
      wrong(scope, "the function %s is not simulated", name)
    end
    check_argument(scope, name, argument)
    return run(scope, argument)
  end
  return resolve_parts(scope, value)
end

--- A value of the template as it is now; nil for AWS::NoValue.
function intrinsics.resolve(scope, value)
  local result = resolve(scope, value)
  if result == no_value then
    return nil
  end
  return result
end

return intrinsics
