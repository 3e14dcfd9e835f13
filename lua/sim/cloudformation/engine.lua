--- The work on stacks: resources are made, changed and taken away in the order of their needs, each step
-- in its time, and when one fails, all is taken back.
--
-- A stack under work has `operation` = {id, kind, items = list, garbage = list, failed = list}. An item is
-- {logical, action, depends, state = nil/"running"/"done"/"failed", ...}; its actions are
--
--     create, modify, replace, delete   what they say
--     restore    a replaced resource is the old one again
--     note       nothing but what is said about the resource has changed
--     discard    a resource that no template names any more, as `garbage` holds it

local facts = require "sim.facts.cloudformation"
local plan = require "sim.cloudformation.plan"
local stacks = require "sim.cloudformation.stacks"
local types = require "sim.cloudformation.types"
local util = require "sim.util"

local engine = { handlers = {} }
local handlers = engine.handlers
local durations, reasons = facts.durations, facts.reasons

-- ---- the queue -----------------------------------------------------------------------------------

local function later(world, stack, seconds, name, item)
  world:after(seconds, "cloudformation." .. name, {
    stack = stack.id, operation = stack.operation.id, logical = item and item.logical, number = item and item.number,
  })
end

-- The stack and item of a queue entry; nil when another operation has taken over.
local function found(world, args)
  local stack = stacks.find(world, args.stack)
  local operation = stack and stack.operation
  if operation and operation.id == args.operation then
    return stack, args.number and operation.items[args.number]
  end
end

--- Begins work on a stack.
function engine.begin(world, stack, kind, items, reason)
  stack.operation = { id = world:uuid(), kind = kind, items = items, garbage = {}, failed = {} }
  for number, item in ipairs(items) do
    item.number = number
  end
  stacks.say(world, stack, facts.kinds[kind].busy, reason)
  later(world, stack, durations.begin, "go")
end

-- ---- events of resources -------------------------------------------------------------------------

local words = {
  create = "CREATE", modify = "UPDATE", replace = "UPDATE", restore = "UPDATE", delete = "DELETE", discard = "DELETE",
}

-- The resource that an item is about: one of the stack, or one that the stack no longer names.
local function resource_of(stack, item)
  return item.resource or stack.resources[item.logical]
end

local function say(world, stack, item, ending, reason)
  stacks.say_of(world, stack, resource_of(stack, item), words[item.action] .. "_" .. ending, reason)
end

-- ---- properties ----------------------------------------------------------------------------------

local function settle_properties(world, stack, item)
  if item.fixed then
    return item.fixed
  end
  return plan.properties(plan.scope(world, stack, stack.document, stack.parameters), item.logical)
end

local function about(world, stack, resource)
  return types.about(world, stack, resource.logical, resource.type)
end

-- Does what a type does; when the simulator turns out not to have it, the resource is taken as it is.
local function attempt(world, resource, step, ...)
  local kind, unknown = types.of(resource.type)
  local result = table.pack(pcall(kind[step], world, ...))
  local problem = result[2]
  if not result[1] and type(problem) == "table" and problem.not_simulated then
    unknown = true
    result = table.pack(pcall(types.opaque[step], world, ...))
    problem = result[2]
  end
  resource.opaque = unknown or nil
  if result[1] then
    return true, table.unpack(result, 2, result.n)
  elseif type(problem) == "table" and problem.resource_failure then
    return false, problem
  elseif type(problem) == "table" and problem.sim_failure then
    return false, { message = problem.message, code = "InvalidRequest" }
  end
  -- Properties of the wrong kind reach services that count on their codec to have refused them.
  return false, { message = reasons.model:format(tostring(problem)), code = "InvalidRequest" }
end

local function handler_reason(world, problem)
  return reasons.handler:format(problem.message, world:uuid(), problem.code or "GeneralServiceException")
end

-- ---- failing -------------------------------------------------------------------------------------

local forward = { create = true, update = true, update_rollback = true }

local function cancel_siblings(world, stack)
  local operation = stack.operation
  for _, item in ipairs(operation.items) do
    if item.state == "running" then
      item.state = "failed"
      operation.failed[#operation.failed + 1] = item.logical
      say(world, stack, item, "FAILED",
        reasons.cancelled:format(item.action == "create" and "creation" or "update"))
    end
  end
end

local function fail(world, stack, item, reason)
  local operation = stack.operation
  item.state = "failed"
  operation.failed[#operation.failed + 1] = item.logical
  say(world, stack, item, "FAILED", reason)
  if forward[operation.kind] then
    cancel_siblings(world, stack)
    later(world, stack, durations.finish, "finish")
  else
    later(world, stack, durations.between, "go")
  end
end

local function complete(world, stack, item)
  item.state = "done"
  if item.action ~= "note" then
    say(world, stack, item, "COMPLETE")
  end
  if item.action == "delete" then
    stack.resources[item.logical].physical_gone = true
  end
  later(world, stack, durations.between, "go")
end

-- ---- one item, step by step ----------------------------------------------------------------------

local function declared_in(stack, item)
  return stack.document.Resources[item.logical] or {}
end

local function ready_to_begin(operation, item)
  for _, name in ipairs(item.depends) do
    for _, other in ipairs(operation.items) do
      if other.logical == name and other.state ~= "done" and other.state ~= "failed" then
        return false
      end
    end
  end
  return true
end

local function begin_item(world, stack, item)
  item.state = "running"
  if item.action == "create" then
    local declared = declared_in(stack, item)
    local known, given = pcall(settle_properties, world, stack, item) -- the next step says what is wrong
    stack.resources[item.logical] = {
      logical = item.logical, type = declared.Type, attributes = {}, properties = known and given or {},
      depends = item.depends, keep = declared.DeletionPolicy, metadata = declared.Metadata,
      keep_replaced = declared.UpdateReplacePolicy,
    }
  end
  local resource = resource_of(stack, item)
  if item.action == "delete" and (not resource.physical or resource.physical_gone) then
    return complete(world, stack, item)
  elseif (item.action == "delete" or item.action == "discard") and item.retain then
    stacks.say_of(world, stack, resource, "DELETE_SKIPPED")
    item.state = "done"
    return later(world, stack, durations.between, "go")
  elseif item.action ~= "note" then
    say(world, stack, item, "IN_PROGRESS", item.action == "replace" and reasons.replaces or nil)
  end
  later(world, stack, durations.act, "act", item)
end

local function wait_for(world, stack, item, step, note)
  local resource = resource_of(stack, item)
  item.note, item.until_time = note, world:now() + durations.patience
  later(world, stack, types.seconds(resource.type, step), "wait", item)
end

-- What CloudFormation itself finds wrong with the properties of a resource, or nil.
local function refusal(item, name, given)
  local missing = types.missing(name, given)
  local problem = missing and reasons.required:format(missing)
  if not problem and not select(2, types.of(name)) then -- nothing is known of other types
    problem = types.misshaped(given)
  end
  return problem and reasons.validation:format(item.logical, problem)
end

-- Makes a resource. What it was before stays with the item, for the way back.
local function make(world, stack, item, given)
  local resource = stack.resources[item.logical]
  local problem = refusal(item, declared_in(stack, item).Type, given)
  if problem then
    return fail(world, stack, item, problem)
  end
  if item.action == "replace" then
    item.past = util.copy(resource)
    resource.type = declared_in(stack, item).Type
  end
  local ok, physical, attributes, note = attempt(world, resource, "create", given, about(world, stack, resource))
  if not ok then
    return fail(world, stack, item, handler_reason(world, physical))
  end
  resource.physical, resource.attributes, resource.properties = physical, attributes or {}, given
  item.made = true
  say(world, stack, item, "IN_PROGRESS", reasons.initiated)
  wait_for(world, stack, item, "create", note)
end

local function modify(world, stack, item, given)
  local resource = stack.resources[item.logical]
  local problem = refusal(item, resource.type, given)
  if problem then
    return fail(world, stack, item, problem)
  end
  local changed = types.difference(resource.type, resource.properties, given) or {}
  item.past, item.made = util.copy(resource), true
  local ok, note, attributes = attempt(world, resource, "update", resource, given, changed)
  if not ok then
    return fail(world, stack, item, handler_reason(world, note))
  end
  resource.properties = given
  for name, value in pairs(attributes or {}) do
    resource.attributes[name] = value
  end
  wait_for(world, stack, item, "update", note)
end

local function remove(world, stack, item)
  local resource = resource_of(stack, item)
  local ok, problem = attempt(world, resource, "delete", resource)
  if not ok then
    return fail(world, stack, item, handler_reason(world, problem))
  end
  wait_for(world, stack, item, "delete")
end

local actions = {}

function actions.create(world, stack, item)
  make(world, stack, item, settle_properties(world, stack, item))
end

actions.replace = actions.create

function actions.modify(world, stack, item)
  modify(world, stack, item, settle_properties(world, stack, item))
end

actions.delete, actions.discard = remove, remove

-- The old resource was there all the time; the new one is to be discarded.
function actions.restore(world, stack, item)
  local newer = stack.resources[item.logical]
  if item.made then
    local garbage = stack.operation.garbage
    garbage[#garbage + 1] = util.copy(newer)
  end
  local events = { status = newer.status, time = newer.time }
  stack.resources[item.logical] = util.copy(item.past)
  stack.resources[item.logical].status, stack.resources[item.logical].time = events.status, events.time
  complete(world, stack, item)
end

function actions.note(world, stack, item)
  complete(world, stack, item)
end

function handlers.act(world, args)
  local stack, item = found(world, args)
  if not item or item.state ~= "running" then
    return
  end
  local ok, problem = pcall(actions[item.action], world, stack, item)
  if ok then
    return
  elseif type(problem) == "table" and problem.sim_failure then -- a value that cannot be worked out
    return fail(world, stack, item, problem.message)
  end
  error(problem, 0)
end

local function is_done(world, stack, item)
  local resource = resource_of(stack, item)
  local kind = types.of(resource.type)
  local deleting = item.action == "delete" or item.action == "discard"
  local check = deleting and kind.gone or not deleting and kind.ready
  if not check or resource.opaque then
    return true
  end
  local ok, result = pcall(check, world, resource, item.note)
  if ok then
    return result
  elseif type(result) == "table" and result.resource_failure then
    return false, handler_reason(world, result)
  end
  error(result, 0)
end

function handlers.wait(world, args)
  local stack, item = found(world, args)
  if not item or item.state ~= "running" then
    return
  end
  local done, problem = is_done(world, stack, item)
  if problem then
    fail(world, stack, item, problem)
  elseif not done and world:now() >= item.until_time then
    fail(world, stack, item, handler_reason(world, { message = reasons.waited, code = "NotStabilized" }))
  elseif not done then
    later(world, stack, durations.poll, "wait", item)
  else
    if item.action == "replace" then
      local garbage = stack.operation.garbage
      garbage[#garbage + 1] = item.past
    end
    complete(world, stack, item)
  end
end

-- ---- all of them ---------------------------------------------------------------------------------

function handlers.go(world, args)
  local stack = found(world, args)
  if not stack or forward[stack.operation.kind] and stack.operation.failed[1] then
    return
  end
  local operation, busy = stack.operation, false
  for _, item in ipairs(operation.items) do
    if not item.state and ready_to_begin(operation, item) then
      begin_item(world, stack, item)
    end
    busy = busy or item.state == "running" or not item.state
  end
  if not busy and not operation.finishing then
    operation.finishing = true
    later(world, stack, durations.finish, "finish")
  end
end

-- ---- the end -------------------------------------------------------------------------------------

-- Resources that no template names any more, as items that discard them.
local function discards(garbage)
  local items = {}
  for index, resource in ipairs(garbage) do
    items[index] = {
      logical = resource.logical, action = "discard", depends = {}, resource = resource,
      retain = resource.keep_replaced == "Retain" or nil,
    }
  end
  return items
end

-- Cleaning up never fails a stack.
local function reasonless(kind)
  return facts.kinds[kind].patient == true
end

-- What cannot be deleted in a cleanup is forgotten.
local function drop_deleted(stack)
  local forget = reasonless(stack.operation.kind)
  for _, item in ipairs(stack.operation.items) do
    if item.action == "delete" and (forget or item.state == "done") then
      stack.resources[item.logical] = nil
    end
  end
end

local function list_of(names)
  return table.concat(names, ", ")
end

local function end_operation(world, stack, status, reason)
  stacks.say(world, stack, status, reason)
  stack.operation, stack.previous = nil, nil
end

-- What a stack says when all went well.
local function conclude(world, stack)
  local scope = plan.scope(world, stack, stack.document, stack.parameters)
  local outputs, exports = plan.outputs(scope)
  for name in util.sorted_pairs(exports) do
    local other = stacks.export(world, name)
    if other and other.stack ~= stack then
      world:fail("ValidationError", facts.errors.export_taken:format(name, other.stack.name))
    end
  end
  stack.outputs, stack.exports = outputs, exports
  for logical, resource in util.sorted_pairs(stack.resources) do
    local declared = stack.document.Resources[logical]
    if declared then
      resource.metadata, resource.keep = declared.Metadata, declared.DeletionPolicy
      resource.keep_replaced = declared.UpdateReplacePolicy
      resource.depends = require("sim.cloudformation.intrinsics").dependencies(stack.document, logical)
    end
  end
end

-- Resources of the update that the template no longer has, and the old ones of those replaced.
local function cleanup_items(stack)
  local items = discards(stack.operation.garbage)
  local leaving = {}
  for logical, resource in util.sorted_pairs(stack.resources) do
    if not stack.wanted[logical] then
      leaving[logical] = resource
    end
  end
  for _, item in ipairs(plan.removals(leaving)) do
    item.retain = leaving[item.logical].keep == "Retain" or nil
    items[#items + 1] = item
  end
  return items
end

-- Takes back a creation: everything that was made is deleted.
function engine.roll_back_creation(world, stack, reason)
  local items = plan.removals(stack.resources)
  for _, item in ipairs(items) do
    item.retain = stack.resources[item.logical].keep == "Retain" or nil
  end
  engine.begin(world, stack, "rollback", items, reason)
end

-- The items that undo what an operation did.
local function undo(operation)
  local items = {}
  for _, item in ipairs(operation.items) do
    if item.past and item.action == "modify" then
      items[#items + 1] = {
        logical = item.logical, action = "modify", depends = item.past.depends, fixed = item.past.properties,
      }
    elseif item.past and item.action == "replace" then
      items[#items + 1] = {
        logical = item.logical, action = "restore", depends = item.past.depends, past = item.past, made = item.made,
      }
    end
  end
  return items
end

--- Takes back an update: what it changed is changed back, what it made is deleted after.
function engine.roll_back_update(world, stack, reason)
  local items = undo(stack.operation or stack.halted)
  local previous = stack.previous
  stack.document, stack.text, stack.parameters = previous.document, previous.text, previous.parameters
  stack.tags, stack.wanted, stack.description = previous.tags, previous.wanted, previous.description
  engine.begin(world, stack, "update_rollback", items, reason)
  stack.previous = previous
end

-- Which resources failed, by what was tried: in an update some are created.
local function failure_reason(operation)
  local names, verb = { create = {}, update = {}, delete = {} }, facts.kinds[operation.kind].verb
  local created = {}
  for _, item in ipairs(operation.items) do
    created[item.logical] = item.action == "create"
  end
  for _, logical in ipairs(operation.failed) do
    table.insert(names[verb == "update" and created[logical] and "create" or verb], logical)
  end
  local text = ""
  for _, step in ipairs { "create", "update", "delete" } do
    text = text .. (names[step][1] and reasons.failed:format(step, list_of(names[step])) or "")
  end
  return text
end

local function finish_badly(world, stack)
  local operation = stack.operation
  local kind = facts.kinds[operation.kind]
  local reason = failure_reason(operation)
  if operation.kind == "create" and stack.on_failure == "ROLLBACK" then
    engine.roll_back_creation(world, stack, reasons.failed_new:format(list_of(operation.failed)))
  elseif operation.kind == "create" and stack.on_failure == "DELETE" then
    engine.begin(world, stack, "delete", plan.removals(stack.resources), reason)
  elseif operation.kind == "update" and stack.on_failure ~= "DO_NOTHING" then
    engine.roll_back_update(world, stack, reason)
  else
    if operation.kind == "delete" or operation.kind == "rollback" then
      drop_deleted(stack)
    end
    stacks.say(world, stack, kind.failed, reason)
    stack.halted, stack.operation = operation, nil -- where a rollback may go on from
  end
end

local function finish_well(world, stack)
  local operation = stack.operation
  local kind = facts.kinds[operation.kind]
  if operation.kind == "create" or operation.kind == "update" then
    local ok, problem = pcall(conclude, world, stack)
    if not ok then
      if type(problem) ~= "table" or not problem.sim_failure then
        error(problem, 0)
      end
      if operation.kind == "create" then
        return engine.roll_back_creation(world, stack, problem.message)
      end
      return engine.roll_back_update(world, stack, problem.message)
    end
  elseif operation.kind ~= "update_rollback" then
    drop_deleted(stack)
  end
  if kind.next then
    local previous = stack.previous
    local items = cleanup_items(stack)
    engine.begin(world, stack, kind.next, items)
    stack.previous = previous
  else
    if operation.kind == "delete" then
      stack.deleted, stack.exports = world:now(), {}
    end
    end_operation(world, stack, kind.done)
  end
end

function handlers.finish(world, args)
  local stack = found(world, args)
  if not stack then
    return
  elseif stack.operation.failed[1] and not reasonless(stack.operation.kind) then
    finish_badly(world, stack)
  else
    finish_well(world, stack)
  end
end

--- Stops an update on request: what runs is cancelled, and all is taken back.
function engine.cancel_update(world, stack)
  cancel_siblings(world, stack)
  engine.roll_back_update(world, stack, reasons.user)
end

return engine
