--- Stacks as they are kept and shown: found by name or ARN, their events, resources and outputs.

local dates = require "sim.dates"
local facts = require "sim.facts.cloudformation"
local json = require "sim.json"
local template = require "sim.cloudformation.template"
local util = require "sim.util"

local stacks = { operations = {} }
local operations = stacks.operations

function stacks.init(_, state)
  state.stacks = {} -- in the order of their creation, deleted ones too
  state.sets = {}   -- change sets, by ARN
end

-- ---- finding -------------------------------------------------------------------------------------

--- The stack of a name (the one that is there now) or of an ARN (also when it is deleted), or nil.
function stacks.find(world, text)
  local list = world:state("cloudformation").stacks
  for index = #list, 1, -1 do
    local stack = list[index]
    if stack.id == text or stack.name == text and stack.status ~= "DELETE_COMPLETE" then
      return stack
    end
  end
end

--- The stack that an operation names; fails when there is none.
function stacks.get(world, text)
  return stacks.find(world, text) or world:fail("ValidationError", facts.errors.stack_missing:format(text))
end

--- A new stack, without status.
function stacks.create(world, name)
  local stack = {
    id = world:arn("cloudformation", ("stack/%s/%s"):format(name, world:uuid())), name = name, created = world:now(),
    resources = {}, order = {}, events = {}, outputs = {}, exports = {}, parameters = {}, tags = {},
  }
  local list = world:state("cloudformation").stacks
  list[#list + 1] = stack
  return stack
end

--- An export of that name: {name, value, stack}, or nil.
function stacks.export(world, name)
  for _, stack in ipairs(world:state("cloudformation").stacks) do
    local value = stack.status ~= "DELETE_COMPLETE" and stack.exports[name]
    if value then
      return { name = name, value = value, stack = stack }
    end
  end
end

-- ---- events --------------------------------------------------------------------------------------

local function add_event(world, stack, event)
  event.stack_id, event.stack_name, event.timestamp = stack.id, stack.name, world:now()
  event.client_request_token = stack.token
  event.operation_id = stack.operation and stack.operation.id
  stack.events[#stack.events + 1] = event
end

--- The stack has a new status.
function stacks.say(world, stack, status, reason)
  stack.status, stack.reason, stack.changed = status, reason, world:now()
  add_event(world, stack, {
    event_id = world:uuid(), logical_resource_id = stack.name, physical_resource_id = stack.id,
    resource_type = "AWS::CloudFormation::Stack", resource_status = status, resource_status_reason = reason,
  })
end

--- A resource of the stack has a new status.
function stacks.say_of(world, stack, resource, status, reason)
  resource.status, resource.reason, resource.time = status, reason, world:now()
  local time = dates.iso(world:now()):gsub("%+0000$", "Z")
  local properties = resource.properties
  add_event(world, stack, {
    event_id = ("%s-%s-%s"):format(resource.logical, status, time), logical_resource_id = resource.logical,
    physical_resource_id = resource.physical or "", resource_type = resource.type, resource_status = status,
    resource_status_reason = reason,
    resource_properties = properties and next(properties) ~= nil and json.encode(properties) or "{}",
  })
end

function operations.describe_stack_events(world, input)
  local stack, list = stacks.get(world, input.stack_name), {}
  for index = #stack.events, 1, -1 do
    list[#list + 1] = util.copy(stack.events[index])
  end
  local page, token = world:page(list, input.next_token, facts.limits.events, "ValidationError")
  return { stack_events = page, next_token = token }
end

-- ---- showing -------------------------------------------------------------------------------------

local drift = { stack_drift_status = "NOT_CHECKED" }
local resource_drift = { stack_resource_drift_status = "NOT_CHECKED" }

local function show(stack)
  return {
    stack_id = stack.id, stack_name = stack.name, change_set_id = stack.change_set, description = stack.description,
    parameters = template.show_parameters(stack.parameters), creation_time = stack.created,
    deletion_time = stack.deleted, last_updated_time = stack.updated, rollback_configuration = {},
    stack_status = stack.status, stack_status_reason = stack.reason, disable_rollback = stack.disable_rollback == true,
    notification_arns = {}, capabilities = util.copy(stack.capabilities), outputs = util.copy(stack.outputs),
    role_arn = stack.role_arn, tags = util.copy(stack.tags), drift_information = util.copy(drift),
    enable_termination_protection = stack.protected == true, timeout_in_minutes = stack.timeout,
  }
end

function operations.describe_stacks(world, input)
  if input.stack_name then
    return { stacks = { show(stacks.get(world, input.stack_name)) } }
  end
  local list, all = {}, world:state("cloudformation").stacks
  for index = #all, 1, -1 do -- newest first
    list[#list + 1] = all[index].status ~= "DELETE_COMPLETE" and show(all[index]) or nil
  end
  local page, token = world:page(list, input.next_token, facts.limits.stacks, "ValidationError")
  return { stacks = page, next_token = token }
end

function operations.list_stacks(world, input)
  local list, all, filter = {}, world:state("cloudformation").stacks, input.stack_status_filter
  for index = #all, 1, -1 do
    local stack = all[index]
    if not filter or #filter == 0 or util.holds(filter, stack.status) then
      list[#list + 1] = {
        stack_id = stack.id, stack_name = stack.name, template_description = stack.description,
        creation_time = stack.created, last_updated_time = stack.updated, deletion_time = stack.deleted,
        stack_status = stack.status, stack_status_reason = stack.reason, drift_information = util.copy(drift),
      }
    end
  end
  local page, token = world:page(list, input.next_token, facts.limits.stacks, "ValidationError")
  return { stack_summaries = page, next_token = token }
end

-- ---- resources -----------------------------------------------------------------------------------

local function show_resource(resource)
  return {
    logical_resource_id = resource.logical, physical_resource_id = resource.physical, resource_type = resource.type,
    resource_status = resource.status, resource_status_reason = resource.reason,
    drift_information = util.copy(resource_drift),
  }
end

-- The resources of a stack that have been begun, by their names.
local function begun(stack)
  local list = {}
  for _, resource in util.sorted_pairs(stack.resources) do
    list[#list + 1] = resource.status and resource or nil
  end
  return list
end

function operations.list_stack_resources(world, input)
  local list = {}
  for index, resource in ipairs(begun(stacks.get(world, input.stack_name))) do
    list[index] = show_resource(resource)
    list[index].last_updated_timestamp = resource.time
  end
  local page, token = world:page(list, input.next_token, facts.limits.resources, "ValidationError")
  return { stack_resource_summaries = page, next_token = token }
end

local function show_of_stack(stack, resource)
  local shown = show_resource(resource)
  shown.stack_name, shown.stack_id, shown.timestamp = stack.name, stack.id, resource.time
  return shown
end

local function holder_of(world, physical)
  for _, stack in ipairs(world:state("cloudformation").stacks) do
    for _, resource in util.sorted_pairs(stack.status ~= "DELETE_COMPLETE" and stack.resources or {}) do
      if resource.physical == physical then
        return stack
      end
    end
  end
  world:fail("ValidationError", facts.errors.stack_missing:format(physical))
end

function operations.describe_stack_resources(world, input)
  local stack = input.stack_name and stacks.get(world, input.stack_name)
    or input.physical_resource_id and holder_of(world, input.physical_resource_id)
    or world:fail("ValidationError", "Stack name or physical resource ID must be specified")
  local list = {}
  for _, resource in ipairs(begun(stack)) do
    if not input.logical_resource_id or resource.logical == input.logical_resource_id then
      list[#list + 1] = show_of_stack(stack, resource)
    end
  end
  if input.logical_resource_id and not list[1] then
    world:fail("ValidationError", facts.errors.resource_missing:format(input.logical_resource_id, stack.name))
  end
  return { stack_resources = list }
end

function operations.describe_stack_resource(world, input)
  local stack = stacks.get(world, input.stack_name)
  local resource = stack.resources[input.logical_resource_id]
  if not resource or not resource.status then
    world:fail("ValidationError", facts.errors.resource_missing:format(input.logical_resource_id, stack.name))
  end
  local shown = show_of_stack(stack, resource)
  shown.last_updated_timestamp, shown.timestamp = shown.timestamp, nil
  shown.metadata = resource.metadata and json.encode(resource.metadata) or nil
  return { stack_resource_detail = shown }
end

-- ---- exports -------------------------------------------------------------------------------------

function operations.list_exports(world, input)
  local list = {}
  for _, stack in ipairs(world:state("cloudformation").stacks) do
    for name, value in util.sorted_pairs(stack.status ~= "DELETE_COMPLETE" and stack.exports or {}) do
      list[#list + 1] = { exporting_stack_id = stack.id, name = name, value = value }
    end
  end
  local page, token = world:page(list, input.next_token, 100, "ValidationError")
  return { exports = page, next_token = token }
end

-- ---- templates -----------------------------------------------------------------------------------

function operations.validate_template(world, input)
  local document = template.read(world, template.text_of(world, input))
  local needed, types = template.capability(document)
  local parameters = template.declared(document)
  for _, parameter in ipairs(parameters) do
    parameter.parameter_type = nil
  end
  return {
    parameters = parameters, description = document.Description, capabilities = { needed },
    capabilities_reason = needed and ("The following resource(s) require capabilities: [%s]"):format(
      table.concat(types, ", ")),
  }
end

function operations.get_template_summary(world, input)
  local text = input.stack_name and stacks.get(world, input.stack_name).text or template.text_of(world, input)
  local document = template.read(world, text)
  local needed, types = template.capability(document)
  local all = {}
  for _, resource in util.sorted_pairs(document.Resources) do
    if not util.holds(all, resource.Type) then
      all[#all + 1] = resource.Type
    end
  end
  return {
    parameters = template.declared(document), description = document.Description, capabilities = { needed },
    capabilities_reason = needed and ("The following resource(s) require capabilities: [%s]"):format(
      table.concat(types, ", ")),
    resource_types = all, version = document.AWSTemplateFormatVersion,
    metadata = document.Metadata and json.encode(document.Metadata) or nil,
  }
end

function operations.update_termination_protection(world, input)
  local stack = stacks.get(world, input.stack_name)
  stack.protected = input.enable_termination_protection
  return { stack_id = stack.id }
end

return stacks
