--- What is asked of stacks: to be created, updated, deleted, rolled back.

local engine = require "sim.cloudformation.engine"
local facts = require "sim.facts.cloudformation"
local intrinsics = require "sim.cloudformation.intrinsics"
local plan = require "sim.cloudformation.plan"
local stacks = require "sim.cloudformation.stacks"
local template = require "sim.cloudformation.template"
local util = require "sim.util"

local requests = { operations = {} }
local operations = requests.operations
local invalid, errors, reasons = template.invalid, facts.errors, facts.reasons

-- ---- getting ready -------------------------------------------------------------------------------

--- Fails unless a text may be a stack's name.
function requests.check_name(world, name)
  if not name:find("^%a[%w-]*$") or #name > 128 then
    invalid(world, errors.stack_name, name)
  end
end

--- Reads what an input asks for: {text, document, parameters, tags, ...}. `stack` may have a template so far.
function requests.prepare(world, input, stack)
  local text = template.text_of(world, input, stack and stack.text)
  local document = template.read(world, text)
  template.check_capability(world, document, input.capabilities)
  return {
    text = text, document = document, parameters = template.parameters(world, document, input, stack and stack.parameters),
    tags = util.copy(input.tags) or stack and util.copy(stack.tags) or {}, capabilities = util.copy(input.capabilities),
    role_arn = input.role_arn, token = input.client_request_token,
  }
end

-- The resources of a template whose conditions hold, as a set.
local function wanted_of(scope)
  local wanted = {}
  for logical in util.sorted_pairs(scope.document.Resources) do
    wanted[logical] = plan.wanted(scope, logical) or nil
  end
  return wanted
end

-- A stack becomes what was prepared.
local function take(world, stack, prepared)
  for _, member in ipairs { "text", "document", "parameters", "tags", "capabilities", "token" } do
    stack[member] = prepared[member]
  end
  stack.role_arn = prepared.role_arn or stack.role_arn
  stack.description = prepared.document.Description
  local scope = plan.scope(world, stack, stack.document, stack.parameters)
  stack.wanted = wanted_of(scope)
  return scope
end

local function failure_mode(input)
  local mode = input.on_failure or input.on_stack_failure
  if input.disable_rollback and mode then
    return mode
  end
  return input.disable_rollback and "DO_NOTHING" or mode or "ROLLBACK"
end
requests.failure_mode = failure_mode

--- Begins to make the resources of a new stack.
function requests.start_creation(world, stack, prepared, mode)
  take(world, stack, prepared)
  stack.on_failure, stack.disable_rollback = mode, mode == "DO_NOTHING"
  local items = {}
  for _, logical in ipairs(plan.order(stack.document)) do
    if stack.wanted[logical] then
      items[#items + 1] = {
        logical = logical, action = "create", depends = intrinsics.dependencies(stack.document, logical),
      }
    end
  end
  engine.begin(world, stack, "create", items, reasons.user)
end

--- The changes that what was prepared makes to a stack, and whether anything is another than before.
function requests.compare(world, stack, prepared)
  local scope = plan.scope(world, stack, prepared.document, prepared.parameters)
  local changes = plan.changes(scope)
  local same = #changes == 0 and util.equal(stack.document and stack.document.Outputs, prepared.document.Outputs)
    and util.equal(stack.tags, prepared.tags)
  return changes, not same
end

--- Begins to change a stack.
function requests.start_update(world, stack, prepared, changes, mode)
  local previous = {
    text = stack.text, document = stack.document, parameters = stack.parameters, tags = stack.tags,
    wanted = stack.wanted, description = stack.description,
  }
  take(world, stack, prepared)
  stack.on_failure, stack.disable_rollback, stack.updated = mode, mode == "DO_NOTHING", world:now()
  local items = {}
  for _, change in ipairs(changes) do
    if change.action ~= "delete" then -- what leaves does so when the rest is done
      items[#items + 1] = { logical = change.logical, action = change.action, depends = change.depends }
    end
  end
  engine.begin(world, stack, "update", items, reasons.user)
  stack.previous = previous
end

--- Fails unless an update of the stack may start now.
function requests.check_updatable(world, stack)
  if not facts.updatable[stack.status] then
    invalid(world, errors.busy, stack.id, stack.status)
  end
end

-- ---- operations ----------------------------------------------------------------------------------

function operations.create_stack(world, input)
  requests.check_name(world, input.stack_name)
  if stacks.find(world, input.stack_name) then
    world:fail("AlreadyExistsException", errors.stack_exists:format(input.stack_name))
  end
  local prepared = requests.prepare(world, input)
  local stack = stacks.create(world, input.stack_name)
  stack.protected, stack.timeout = input.enable_termination_protection, input.timeout_in_minutes
  requests.start_creation(world, stack, prepared, failure_mode(input))
  return { stack_id = stack.id, operation_id = stack.operation.id }
end

function operations.update_stack(world, input)
  local stack = stacks.find(world, input.stack_name)
    or invalid(world, errors.stack_missing_short, input.stack_name)
  requests.check_updatable(world, stack)
  local prepared = requests.prepare(world, input, stack)
  local changes, any = requests.compare(world, stack, prepared)
  if not any then
    invalid(world, errors.no_updates)
  end
  requests.start_update(world, stack, prepared, changes, input.disable_rollback and "DO_NOTHING" or "ROLLBACK")
  return { stack_id = stack.id, operation_id = stack.operation.id }
end

local undeletable = {
  UPDATE_IN_PROGRESS = true, UPDATE_ROLLBACK_IN_PROGRESS = true, UPDATE_COMPLETE_CLEANUP_IN_PROGRESS = true,
  UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS = true, ROLLBACK_IN_PROGRESS = true,
}

function operations.delete_stack(world, input)
  local stack = stacks.find(world, input.stack_name)
  if not stack or stack.status == "DELETE_IN_PROGRESS" or stack.status == "DELETE_COMPLETE" then
    return {} -- as good as deleted
  elseif stack.protected then
    invalid(world, errors.protected, stack.name)
  elseif undeletable[stack.status] then
    invalid(world, errors.delete_busy, stack.id, stack.status)
  end
  stack.token = input.client_request_token
  local items = plan.removals(stack.resources)
  for _, item in ipairs(items) do
    local keeps = stack.resources[item.logical].keep == "Retain"
    item.retain = keeps or util.holds(input.retain_resources, item.logical) or nil
  end
  engine.begin(world, stack, "delete", items, reasons.user)
  return {}
end

function operations.cancel_update_stack(world, input)
  local stack = stacks.get(world, input.stack_name)
  if stack.status ~= "UPDATE_IN_PROGRESS" then
    invalid(world, "CancelUpdateStack cannot be called from current stack status") -- K
  end
  engine.cancel_update(world, stack)
  return {}
end

function operations.rollback_stack(world, input)
  local stack = stacks.get(world, input.stack_name)
  if stack.status == "CREATE_FAILED" then
    engine.roll_back_creation(world, stack, reasons.user)
  elseif stack.status == "UPDATE_FAILED" then
    engine.roll_back_update(world, stack, reasons.user)
  else
    invalid(world, errors.cannot, stack.name, stack.status, "rolled back")
  end
  return { stack_id = stack.id, operation_id = stack.operation.id }
end

function operations.continue_update_rollback(world, input)
  local stack = stacks.get(world, input.stack_name)
  if stack.status ~= "UPDATE_ROLLBACK_FAILED" then
    invalid(world, errors.cannot, stack.name, stack.status, "rolled back further")
  end
  local items = {}
  for _, item in ipairs(stack.halted.items) do
    local skipped = util.holds(input.resources_to_skip, item.logical)
    if item.state ~= "done" and not skipped then
      items[#items + 1] = {
        logical = item.logical, action = item.action, depends = item.depends, fixed = item.fixed, past = item.past,
        made = item.made,
      }
    end
  end
  engine.begin(world, stack, "update_rollback", items, reasons.user)
  return {}
end

-- The stages of a template differ only where transforms are.
function operations.get_template(world, input)
  local text
  if input.change_set_name then
    text = require("sim.cloudformation.changes").get(world, input).text
  elseif input.stack_name then
    text = stacks.get(world, input.stack_name).text
  else
    invalid(world, "Either stack name or change set name must be specified")
  end
  return { template_body = text, stages_available = { "Original", "Processed" } }
end

return requests
