--- Change sets: what a template would do to a stack, to look at first and to execute then.

local facts = require "sim.facts.cloudformation"
local json = require "sim.json"
local requests = require "sim.cloudformation.requests"
local stacks = require "sim.cloudformation.stacks"
local template = require "sim.cloudformation.template"
local util = require "sim.util"

local changes = { operations = {}, handlers = {} }
local operations = changes.operations
local errors, durations = facts.errors, facts.durations
local invalid = template.invalid

-- ---- finding -------------------------------------------------------------------------------------

local function is_arn(text)
  return text:find("^arn:") ~= nil
end

local function find(world, input)
  local sets, name = world:state("cloudformation").sets, input.change_set_name
  if is_arn(name) then
    return sets[name]
  elseif not input.stack_name then
    invalid(world, errors.set_name)
  end
  local stack = stacks.get(world, input.stack_name)
  for _, set in util.sorted_pairs(sets) do
    if set.stack == stack.id and set.name == name then
      return set
    end
  end
end

--- The change set that an operation names; fails when there is none.
function changes.get(world, input)
  return find(world, input)
    or world:fail("ChangeSetNotFound", errors.set_missing:format(input.change_set_name), { status = 404 })
end

-- ---- creating ------------------------------------------------------------------------------------

local reviewable = { REVIEW_IN_PROGRESS = true }

-- The stack that a change set is for; one to create is made here, in review.
local function stack_for(world, input)
  local stack = stacks.find(world, input.stack_name)
  if input.change_set_type == "IMPORT" then
    invalid(world, "Change sets that import resources are not simulated")
  elseif input.change_set_type == "CREATE" then
    if stack and not reviewable[stack.status] then
      invalid(world, errors.stack_exists_set, input.stack_name, input.change_set_name)
    end
    return stack, stack == nil
  elseif not stack then
    invalid(world, errors.stack_missing_short, input.stack_name)
  end
  requests.check_updatable(world, stack)
  return stack, false
end

local function new_stack(world, name)
  requests.check_name(world, name)
  local stack = stacks.create(world, name)
  stacks.say(world, stack, "REVIEW_IN_PROGRESS", facts.reasons.user)
  return stack
end

function operations.create_change_set(world, input)
  local stack, is_new = stack_for(world, input)
  local prepared = requests.prepare(world, input, stack)
  stack = is_new and new_stack(world, input.stack_name) or stack
  if find(world, { stack_name = stack.id, change_set_name = input.change_set_name }) then
    world:fail("AlreadyExistsException", errors.set_exists:format(input.change_set_name, stack.name))
  end
  local id = world:arn("cloudformation", ("changeSet/%s/%s"):format(input.change_set_name, world:uuid()))
  world:state("cloudformation").sets[id] = {
    id = id, name = input.change_set_name, stack = stack.id, stack_name = stack.name, created = world:now(),
    text = prepared.text, parameters = prepared.parameters, tags = prepared.tags, capabilities = prepared.capabilities,
    role_arn = prepared.role_arn, description = input.description, kind = input.change_set_type or "UPDATE",
    status = "CREATE_PENDING", execution = "UNAVAILABLE", mode = input.on_stack_failure, changes = {},
  }
  world:after(durations.set_pending, "cloudformation.compare", { set = id })
  return { id = id, stack_id = stack.id }
end

-- A change set as what was prepared for it.
local function prepared_of(world, set)
  return {
    text = set.text, document = template.read(world, set.text), parameters = set.parameters, tags = set.tags,
    capabilities = set.capabilities, role_arn = set.role_arn,
  }
end

-- ---- what changes --------------------------------------------------------------------------------

local verbs = { create = "Add", modify = "Modify", replace = "Modify", note = "Modify", delete = "Remove" }

local function details_of(change)
  local out = {}
  for name in util.sorted_pairs(change.changed or {}) do
    out[#out + 1] = {
      target = {
        attribute = "Properties", name = name, path = "/Properties/" .. name,
        requires_recreation = change.action == "replace" and "Always" or "Never",
      },
      evaluation = "Static", change_source = "DirectModification",
    }
  end
  if change.metadata_only then
    out[1] = { target = { attribute = "Metadata", requires_recreation = "Never" }, evaluation = "Static",
      change_source = "DirectModification" }
  end
  return out
end

local function context(properties)
  return properties and json.encode({ Properties = next(properties) ~= nil and properties or json.ordered {} }) or nil
end

local function shown(change)
  local modify = verbs[change.action] == "Modify"
  return {
    type = "Resource",
    resource_change = {
      action = verbs[change.action], logical_resource_id = change.logical, physical_resource_id = change.physical,
      resource_type = change.type, replacement = modify and (change.action == "replace" and "True" or "False") or nil,
      scope = modify and { change.metadata_only and "Metadata" or "Properties" } or {}, details = details_of(change),
    },
    before = context(change.before), after = context(change.after),
  }
end

local function conclude(world, set, stack)
  local ok, list, any = pcall(requests.compare, world, stack, prepared_of(world, set))
  if not ok and type(list) == "table" and list.sim_failure then
    set.status, set.reason = "FAILED", list.message
    return
  elseif not ok then
    error(list, 0)
  end
  if not any then
    set.status, set.reason = "FAILED", errors.no_changes
    return
  end
  for index, change in ipairs(list) do
    set.changes[index] = shown(change)
  end
  set.status, set.execution = "CREATE_COMPLETE", "AVAILABLE"
end

function changes.handlers.compare(world, args)
  local set = world:state("cloudformation").sets[args.set]
  local stack = set and stacks.find(world, set.stack)
  if not stack then
    return
  elseif set.status == "CREATE_PENDING" then
    set.status = "CREATE_IN_PROGRESS"
    world:after(world:about(durations.set_ready, 0.3), "cloudformation.compare", args)
  elseif set.status == "CREATE_IN_PROGRESS" then
    conclude(world, set, stack)
  end
end

-- ---- showing -------------------------------------------------------------------------------------

function operations.describe_change_set(world, input)
  local set = changes.get(world, input)
  local list = {}
  for index, change in ipairs(set.changes) do
    local copied = util.copy(change.resource_change)
    if input.include_property_values then
      copied.before_context, copied.after_context = change.before, change.after
    end
    list[index] = { type = change.type, resource_change = copied }
  end
  local page, token = world:page(list, input.next_token, 100, "ValidationError")
  return {
    change_set_name = set.name, change_set_id = set.id, stack_id = set.stack, stack_name = set.stack_name,
    description = set.description, parameters = template.show_parameters(set.parameters), creation_time = set.created,
    execution_status = set.execution, status = set.status, status_reason = set.reason, notification_arns = {},
    rollback_configuration = {}, capabilities = util.copy(set.capabilities), tags = util.copy(set.tags), changes = page,
    next_token = token, include_nested_stacks = false, on_stack_failure = set.mode,
  }
end

function operations.list_change_sets(world, input)
  local stack, list = stacks.get(world, input.stack_name), {}
  for _, set in util.sorted_pairs(world:state("cloudformation").sets) do
    if set.stack == stack.id then
      list[#list + 1] = {
        stack_id = set.stack, stack_name = set.stack_name, change_set_id = set.id, change_set_name = set.name,
        execution_status = set.execution, status = set.status, status_reason = set.reason, creation_time = set.created,
        description = set.description, include_nested_stacks = false,
      }
    end
  end
  local page, token = world:page(list, input.next_token, 100, "ValidationError")
  return { summaries = page, next_token = token }
end

-- ---- using ---------------------------------------------------------------------------------------

-- The change sets of a stack are spent when one of them is executed.
local function spend(world, set)
  local sets = world:state("cloudformation").sets
  for id, other in util.sorted_pairs(sets) do
    if other.stack == set.stack then
      sets[id] = nil
    end
  end
end

function operations.execute_change_set(world, input)
  local set = changes.get(world, input)
  if set.execution ~= "AVAILABLE" then
    world:fail("InvalidChangeSetStatus", errors.set_status:format(set.id, set.status))
  end
  local stack = stacks.get(world, set.stack)
  local prepared = prepared_of(world, set)
  prepared.token = input.client_request_token
  local mode = requests.failure_mode { disable_rollback = input.disable_rollback, on_failure = set.mode }
  stack.change_set = set.id
  if set.kind == "CREATE" then
    requests.start_creation(world, stack, prepared, mode)
  else
    requests.check_updatable(world, stack)
    requests.start_update(world, stack, prepared, (requests.compare(world, stack, prepared)),
      mode == "DELETE" and "ROLLBACK" or mode)
  end
  spend(world, set)
  return {}
end

function operations.delete_change_set(world, input)
  local set = find(world, input)
  if not set then
    return {} -- as good as deleted
  elseif set.status == "CREATE_IN_PROGRESS" then
    world:fail("InvalidChangeSetStatus", errors.set_busy:format(set.id, set.status))
  end
  world:state("cloudformation").sets[set.id] = nil
  return {}
end

return changes
