--- Templates: read, checked, their parameters and conditions worked out.

local facts = require "sim.facts.cloudformation"
local json = require "sim.json"
local s3 = require "sim.s3"
local util = require "sim.util"

local template = {}

local function invalid(world, text, ...)
  world:fail("ValidationError", text:format(...))
end
template.invalid = invalid

local function malformed(world, text, ...)
  invalid(world, facts.errors.format, text:format(...))
end

-- ---- where a template is -------------------------------------------------------------------------

local function decoded(text)
  return (text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

-- The bucket and key of "https://HOST/BUCKET/KEY" or "https://BUCKET.HOST/KEY", or nil.
local function place_of(url)
  local host, path = url:match("^https?://([^/?]+)/([^?]+)")
  if not host then
    return nil
  end
  host = host:gsub(":%d+$", ""):lower()
  local by_path = host:match("^[%d.]+$") or host:match("^%[") or host == "localhost" or host:match("^s3[.-]")
  if by_path then
    local bucket, key = path:match("^([^/]+)/(.+)$")
    return bucket and decoded(bucket), key and decoded(key)
  end
  local bucket = host:match("^(.+)%.s3[.-]") or host:match("^([^.]+)%.")
  return bucket, decoded(path)
end

local function fetch(world, url)
  local bucket, key = place_of(url)
  if not bucket or not key then
    invalid(world, facts.errors.template_url)
  end
  local body, problem = s3.read(world, bucket, key)
  if not body then
    invalid(world, facts.errors.template_s3, require("sim.facts.s3").errors[problem][1])
  end
  return body
end

--- The text of the template that an input gives, by value, by address, or as the one before.
function template.text_of(world, input, before)
  if input.use_previous_template and before then
    return before
  elseif (input.template_body == nil) == (input.template_url == nil) then
    invalid(world, facts.errors.one_template)
  elseif input.template_url then
    return fetch(world, input.template_url)
  elseif #input.template_body > facts.limits.template_body then
    invalid(world, facts.errors.template_long)
  end
  return input.template_body
end

-- ---- reading -------------------------------------------------------------------------------------

local sections = {
  AWSTemplateFormatVersion = "string", Description = "string", Metadata = "table", Parameters = "table",
  Rules = "table", Mappings = "table", Conditions = "table", Transform = "any", Resources = "table",
  Outputs = "table", Hooks = "table",
}

local function refuse_null(world, value, path)
  if value == json.null then
    malformed(world, "[%s] 'null' values are not allowed in templates", path)
  elseif type(value) == "table" then
    for key, item in util.sorted_pairs(value) do
      refuse_null(world, item, path .. "/" .. tostring(key))
    end
  end
end

local function check_sections(world, document)
  local unknown = {}
  for name, value in util.sorted_pairs(document) do
    local kind = sections[name]
    if not kind then
      unknown[#unknown + 1] = name
    elseif kind ~= "any" and type(value) ~= kind then
      malformed(world, "%s section has a wrong type: it must be %s", name, kind == "table" and "an object" or "a string")
    end
  end
  if unknown[1] then
    invalid(world, "Invalid template property or properties [%s]", table.concat(unknown, ", "))
  elseif document.Transform then
    local named = document.Transform
    invalid(world, facts.errors.transform, type(named) == "table" and json.encode(named) or tostring(named))
  end
end

local function check_members(world, document)
  for _, section in ipairs { "Parameters", "Outputs", "Mappings", "Conditions" } do
    for name, member in util.sorted_pairs(document[section] or {}) do
      if type(name) ~= "string" or type(member) ~= "table" then
        malformed(world, "Every %s member must be an object.", section)
      end
    end
  end
  for name, output in util.sorted_pairs(document.Outputs or {}) do
    local export = output.Export
    if output.Value == nil or export ~= nil and (type(export) ~= "table" or export.Name == nil) then
      malformed(world, "Output %s is malformed.", name)
    end
  end
  for name, parameter in util.sorted_pairs(document.Parameters or {}) do
    if type(parameter.Type) ~= "string" or type(parameter.Default) == "table"
      or parameter.AllowedValues ~= nil and type(parameter.AllowedValues) ~= "table" then
      malformed(world, "Parameter %s is malformed.", name)
    end
  end
end

local function check_resources(world, document)
  if not document.Resources or next(document.Resources) == nil then
    malformed(world, "At least one Resources member must be defined.")
  end
  for name, resource in util.sorted_pairs(document.Resources) do
    if type(name) ~= "string" or not name:find("^%w+$") then
      malformed(world, "Resource name %s is non alphanumeric.", tostring(name))
    elseif type(resource) ~= "table" or type(resource.Type) ~= "string" then
      malformed(world, "[/Resources/%s] Every Resources object must contain a Type member.", name)
    elseif not resource.Type:find("^%w+::") then
      malformed(world, "Unrecognized resource types: [%s]", resource.Type)
    elseif resource.Properties ~= nil and type(resource.Properties) ~= "table" then
      malformed(world, "[/Resources/%s/Properties] must be an object", name)
    end
  end
end

--- Reads a template's text. Fails as ValidateTemplate does when it is none.
function template.read(world, text)
  local document = json.object_of(text)
  if not document then
    if text:find("^%s*[{%[]") then
      malformed(world, "JSON not well-formed.")
    end
    invalid(world, facts.errors.yaml)
  end
  refuse_null(world, document, "")
  check_sections(world, document)
  check_members(world, document)
  check_resources(world, document)
  require("sim.cloudformation.intrinsics").check(world, document)
  return document
end

-- ---- capabilities --------------------------------------------------------------------------------

--- The capability that a template needs, or nil, and the types that need it.
function template.capability(document)
  local needed, types = nil, {}
  for _, resource in util.sorted_pairs(document.Resources) do
    local name = facts.capable[resource.Type]
    if name ~= nil then
      local named = name and resource.Properties and resource.Properties[name] ~= nil
      needed = (named or needed == "CAPABILITY_NAMED_IAM") and "CAPABILITY_NAMED_IAM" or "CAPABILITY_IAM"
      if not util.holds(types, resource.Type) then
        types[#types + 1] = resource.Type
      end
    end
  end
  return needed, types
end

--- Fails unless the caller acknowledged what the template can do.
function template.check_capability(world, document, given)
  local needed = template.capability(document)
  if needed and not util.holds(given, "CAPABILITY_NAMED_IAM")
    and not (needed == "CAPABILITY_IAM" and util.holds(given, "CAPABILITY_IAM")) then
    world:fail("InsufficientCapabilitiesException", facts.errors.capabilities:format(needed))
  end
end

-- ---- parameters ----------------------------------------------------------------------------------

local function check_value(world, name, declared, value)
  local allowed = declared.AllowedValues
  local listed = false
  for _, item in ipairs(allowed or {}) do
    listed = listed or tostring(item) == value
  end
  if allowed and not listed then
    invalid(world, facts.errors.parameter_allowed, name)
  elseif declared.Type == "Number" and not tonumber(value) then
    invalid(world, facts.errors.parameter_number, name)
  end
  local low, high = tonumber(tostring(declared.MinLength)), tonumber(tostring(declared.MaxLength))
  if low and #value < low then
    invalid(world, facts.errors.parameter_length, name, "at least", low)
  elseif high and #value > high then
    invalid(world, facts.errors.parameter_length, name, "at most", high)
  end
end

local function from_store(world, key)
  local answer = world:call("ssm", "get_parameter", { name = key }, { scenario = true })
  if not answer.output then
    invalid(world, facts.errors.parameter_ssm, key)
  end
  return answer.output.parameter.value
end

local function refuse_unknown(world, declared, input)
  local unknown = {}
  for _, given in ipairs(input.parameters or {}) do
    if not declared[given.parameter_key] then
      unknown[#unknown + 1] = given.parameter_key
    end
  end
  if unknown[1] then
    invalid(world, facts.errors.parameters_unknown, table.concat(unknown, ", "))
  end
end

-- What the caller says of a parameter; nil when it says nothing.
local function given_value(world, name, input, before)
  for _, given in ipairs(input.parameters or {}) do
    if given.parameter_key == name and given.use_previous_value then
      if not before or before[name] == nil then
        invalid(world, facts.errors.parameter_previous, name)
      end
      return before[name].value
    elseif given.parameter_key == name then
      return given.parameter_value
    end
  end
end

--- The parameters of a template by name: {value, resolved, hidden}. `before`: those of the stack so far.
function template.parameters(world, document, input, before)
  local declared, out, missing = document.Parameters or {}, {}, {}
  refuse_unknown(world, declared, input)
  for name, about in util.sorted_pairs(declared) do
    local value = given_value(world, name, input, before)
    if value == nil then
      value = about.Default
    end
    if value == nil then
      missing[#missing + 1] = name
    else
      value = tostring(value)
      check_value(world, name, about, value)
      local stored = tostring(about.Type):find("^AWS::SSM::Parameter::Value<") ~= nil
      out[name] = {
        value = value, resolved = stored and from_store(world, value) or nil, type = tostring(about.Type),
        hidden = about.NoEcho == true or about.NoEcho == "true" or nil,
      }
    end
  end
  if missing[1] then
    invalid(world, facts.errors.parameters_missing, table.concat(missing, ", "))
  end
  return out
end

--- Parameters as the API shows them.
function template.show_parameters(parameters)
  local out = {}
  for name, parameter in util.sorted_pairs(parameters) do
    out[#out + 1] = {
      parameter_key = name, parameter_value = parameter.hidden and "****" or parameter.value,
      resolved_value = parameter.resolved,
    }
  end
  return out
end

--- What ValidateTemplate and GetTemplateSummary say of the parameters that a template declares.
function template.declared(document)
  local out = {}
  for name, about in util.sorted_pairs(document.Parameters or {}) do
    out[#out + 1] = {
      parameter_key = name, default_value = about.Default ~= nil and tostring(about.Default) or nil,
      no_echo = about.NoEcho == true or about.NoEcho == "true", description = about.Description,
      parameter_type = about.Type,
    }
  end
  return out
end

return template
