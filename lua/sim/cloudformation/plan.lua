--- What is to be done: which resources a template adds to a stack, changes, replaces and removes.

local facts = require "sim.facts.cloudformation"
local intrinsics = require "sim.cloudformation.intrinsics"
local types = require "sim.cloudformation.types"
local util = require "sim.util"

local plan = {}

--- What the names of a template mean for a stack.
function plan.scope(world, stack, document, parameters)
  return {
    world = world, stack = { id = stack.id, name = stack.name }, document = document, parameters = parameters,
    conditions = {}, resources = stack.resources,
  }
end

--- Whether a resource is wanted: its condition holds, if it has one.
function plan.wanted(scope, logical)
  local condition = scope.document.Resources[logical].Condition
  return type(condition) ~= "string" or intrinsics.holds(scope, condition)
end

--- The names of the resources of a template, each after those that it needs.
function plan.order(document)
  local out, done, open = {}, {}, {}
  local function visit(logical)
    if done[logical] or open[logical] then
      return
    end
    open[logical] = true
    for _, other in ipairs(intrinsics.dependencies(document, logical)) do
      visit(other)
    end
    done[logical] = true
    out[#out + 1] = logical
  end
  for logical in util.sorted_pairs(document.Resources) do
    visit(logical)
  end
  return out
end

local function properties_of(scope, logical)
  local value = intrinsics.resolve(scope, scope.document.Resources[logical].Properties or {}) or {}
  if type(value) ~= "table" then
    scope.world:fail("ValidationError", facts.errors.format:format(
      ("[/Resources/%s/Properties] must be an object"):format(logical)))
  end
  return value
end
plan.properties = properties_of

-- The change of one resource of the template, or nil.
local function change_of(scope, logical)
  local declared, present = scope.document.Resources[logical], scope.resources[logical]
  local after = properties_of(scope, logical)
  local change = {
    logical = logical, type = declared.Type, after = after, depends = intrinsics.dependencies(scope.document, logical),
  }
  if not present then
    change.action = "create"
    return change
  end
  change.before, change.physical = present.properties, present.physical
  if present.type ~= declared.Type then
    change.action, change.changed = "replace", {}
    return change
  end
  local changed, replace = types.difference(declared.Type, present.properties, after)
  if changed then
    change.action, change.changed = replace and "replace" or "modify", changed
    return change
  end
  if not util.equal(present.metadata, declared.Metadata) then
    change.action, change.changed, change.metadata_only = "note", {}, true
    return change
  end
end

--- What a template changes in a stack: a list of {logical, type, action, depends, changed, ...}, those that
-- others need first; removals last.
function plan.changes(scope)
  local out = {}
  scope.unknown = {}
  local wanted = {}
  for _, logical in ipairs(plan.order(scope.document)) do
    if plan.wanted(scope, logical) then
      wanted[logical] = true
      local change = change_of(scope, logical)
      out[#out + 1] = change
      if change and (change.action == "create" or change.action == "replace") then
        scope.unknown[logical] = true
      end
    end
  end
  for logical, resource in util.sorted_pairs(scope.resources) do
    if not wanted[logical] then
      out[#out + 1] = {
        logical = logical, type = resource.type, action = "delete", physical = resource.physical,
        before = resource.properties, depends = {},
      }
    end
  end
  scope.unknown = nil
  return out
end

--- The removal of some resources of a stack, those that need others first.
function plan.removals(resources)
  local items, needed_by = {}, {}
  for logical, resource in util.sorted_pairs(resources) do
    for _, other in ipairs(resource.depends or {}) do
      needed_by[other] = needed_by[other] or {}
      table.insert(needed_by[other], logical)
    end
  end
  for logical in util.sorted_pairs(resources) do
    items[#items + 1] = { logical = logical, action = "delete", depends = needed_by[logical] or {} }
  end
  return items
end

--- The outputs of a template and what it exports.
function plan.outputs(scope)
  local outputs, exports = {}, {}
  for key, declared in util.sorted_pairs(scope.document.Outputs or {}) do
    local condition = declared.Condition
    if type(condition) ~= "string" or intrinsics.holds(scope, condition) then
      local value = intrinsics.resolve(scope, declared.Value)
      value = type(value) == "table" and table.concat(value, ",") or tostring(value)
      local name = declared.Export and intrinsics.resolve(scope, declared.Export.Name)
      outputs[#outputs + 1] = {
        output_key = key, output_value = value, description = declared.Description, export_name = name,
      }
      if name then
        exports[name] = value
      end
    end
  end
  return outputs, exports
end

return plan
