--- Listeners and their rules.

local facts = require "sim.facts.elbv2"
local store = require "sim.elbv2.store"
local util = require "sim.util"

local listeners = { operations = {} }
local operations = listeners.operations

-- Targets of groups that are used from now on, or no longer, are checked or not accordingly.
local function settle(world)
  local targets = require "sim.elbv2.targets"
  for _, group in ipairs(world:state("elbv2").groups) do
    targets.settle(world, group)
  end
end

-- ---- listeners -----------------------------------------------------------------------------------

local function show(_, entry)
  return util.copy(entry.description)
end

local function add_default_rule(world, listener)
  local arn = listener.arn:gsub(":listener/", ":listener-rule/") .. "/" .. world:id(16)
  local rules = world:state("elbv2").rules
  rules[#rules + 1] = {
    arn = arn, listener = listener.arn, balancer = listener.balancer, tags = {},
    description = { rule_arn = arn, priority = "default", conditions = {}, is_default = true,
      actions = util.copy(listener.description.default_actions) },
  }
end

local function port_in_use(world, balancer, port, other_than)
  for _, listener in ipairs(world:state("elbv2").listeners) do
    if listener.balancer == balancer.arn and listener.description.port == port and listener ~= other_than then
      world:fail("DuplicateListener", facts.errors.DuplicateListener:format(balancer.arn))
    end
  end
end

local function refuse_bad_protocol(world, protocol, certificates)
  if protocol == "HTTPS" and (not certificates or #certificates == 0) then
    world:fail("CertificateNotFound", facts.errors.certificate)
  end
end

function operations.create_listener(world, input)
  local balancer = store.get(world, "balancers", input.load_balancer_arn)
  if not input.protocol or not input.port then
    world:fail("ValidationError", facts.errors.listener)
  end
  refuse_bad_protocol(world, input.protocol, input.certificates)
  port_in_use(world, balancer, input.port)
  local actions = store.actions(world, input.default_actions)
  local arn = balancer.arn:gsub(":loadbalancer/", ":listener/") .. "/" .. world:id(16)
  local entry = {
    arn = arn, balancer = balancer.arn, tags = store.tags_of(input.tags),
    description = {
      listener_arn = arn, load_balancer_arn = balancer.arn, port = input.port, protocol = input.protocol,
      certificates = util.copy(input.certificates), default_actions = actions,
      ssl_policy = input.protocol == "HTTPS" and (input.ssl_policy or "ELBSecurityPolicy-2016-08") or nil,
    },
  }
  local list = world:state("elbv2").listeners
  list[#list + 1] = entry
  add_default_rule(world, entry)
  settle(world)
  return { listeners = { show(world, entry) } }
end

function operations.describe_listeners(world, input)
  local entries = store.chosen(world, "listeners", input.listener_arns)
  if input.load_balancer_arn then
    store.get(world, "balancers", input.load_balancer_arn)
    local kept = {}
    for _, entry in ipairs(entries) do
      kept[#kept + 1] = entry.balancer == input.load_balancer_arn and entry or nil
    end
    entries = kept
  elseif not input.listener_arns or #input.listener_arns == 0 then
    world:fail("ValidationError", facts.errors.which_listener)
  end
  local page, marker = store.page(world, entries, input, show)
  return { listeners = page, next_marker = marker }
end

function operations.modify_listener(world, input)
  local entry = store.get(world, "listeners", input.listener_arn)
  local changed = util.copy(entry.description)
  for _, member in ipairs { "port", "protocol", "certificates", "ssl_policy" } do
    changed[member] = input[member] ~= nil and util.copy(input[member]) or changed[member]
  end
  refuse_bad_protocol(world, changed.protocol, changed.certificates)
  port_in_use(world, store.get(world, "balancers", entry.balancer), changed.port, entry)
  if input.default_actions and #input.default_actions > 0 then
    changed.default_actions = store.actions(world, input.default_actions)
    for _, rule in ipairs(world:state("elbv2").rules) do
      if rule.listener == entry.arn and rule.description.is_default then
        rule.description.actions = util.copy(changed.default_actions)
      end
    end
  end
  entry.description = changed
  settle(world)
  return { listeners = { show(world, entry) } }
end

local function keep(list, wanted)
  local kept = {}
  for _, entry in ipairs(list) do
    if wanted(entry) then
      kept[#kept + 1] = entry
    end
  end
  return kept
end

local function drop(world, member, arn)
  local state = world:state("elbv2")
  state.rules = keep(state.rules, function(rule) return rule[member] ~= arn end)
  settle(world)
end

function operations.delete_listener(world, input)
  local entry, index = store.find(world:state("elbv2").listeners, "arn", input.listener_arn)
  if not entry then
    world:fail("ListenerNotFound", facts.errors.ListenerNotFound)
  end
  table.remove(world:state("elbv2").listeners, index)
  drop(world, "listener", entry.arn)
  return {}
end

--- A load balancer is gone, and with it its listeners and rules.
function listeners.drop_of(world, balancer_arn)
  local state = world:state("elbv2")
  state.listeners = keep(state.listeners, function(entry) return entry.balancer ~= balancer_arn end)
  drop(world, "balancer", balancer_arn)
end

-- ---- rules ---------------------------------------------------------------------------------------

local fields = {
  ["host-header"] = "host_header_config", ["path-pattern"] = "path_pattern_config",
  ["http-header"] = "http_header_config", ["query-string"] = "query_string_config",
  ["http-request-method"] = "http_request_method_config", ["source-ip"] = "source_ip_config",
}

local function conditions_of(world, input)
  local out = util.copy(input)
  for _, condition in ipairs(out) do
    local member = fields[condition.field or ""]
    if not member then
      world:fail("ValidationError", facts.errors.condition:format(tostring(condition.field)))
    end
    condition[member] = condition[member] or { values = util.copy(condition.values or {}) }
    if #(condition[member].values or {}) == 0 then
      world:fail("ValidationError", facts.errors.no_value)
    end
    if condition.field == "host-header" or condition.field == "path-pattern" then -- the two older ones
      condition.values = condition.values or util.copy(condition[member].values)
    end
  end
  return out
end

local function priority_in_use(world, listener_arn, priority, moving)
  for _, rule in ipairs(world:state("elbv2").rules) do
    local same = rule.listener == listener_arn and rule.description.priority == tostring(priority)
    if same and not (moving and moving[rule.arn]) then
      world:fail("PriorityInUse", facts.errors.PriorityInUse:format(priority))
    end
  end
end

function operations.create_rule(world, input)
  local listener = store.get(world, "listeners", input.listener_arn)
  priority_in_use(world, listener.arn, input.priority)
  local conditions = conditions_of(world, input.conditions)
  local actions = store.actions(world, input.actions)
  local arn = listener.arn:gsub(":listener/", ":listener-rule/") .. "/" .. world:id(16)
  local entry = {
    arn = arn, listener = listener.arn, balancer = listener.balancer, tags = store.tags_of(input.tags),
    description = { rule_arn = arn, priority = tostring(input.priority), conditions = conditions,
      actions = actions, is_default = false },
  }
  local rules = world:state("elbv2").rules
  rules[#rules + 1] = entry
  settle(world)
  return { rules = { show(world, entry) } }
end

--- The rules of a listener as they are tried: by priority, the default one last.
function listeners.rules_of(world, listener_arn)
  local list = {}
  for _, rule in ipairs(world:state("elbv2").rules) do
    if rule.listener == listener_arn then
      list[#list + 1] = rule
    end
  end
  table.sort(list, function(a, b)
    local left = tonumber(a.description.priority) or math.huge
    local right = tonumber(b.description.priority) or math.huge
    return left < right
  end)
  return list
end

function operations.describe_rules(world, input)
  local entries
  if input.listener_arn then
    store.get(world, "listeners", input.listener_arn)
    entries = listeners.rules_of(world, input.listener_arn)
  elseif input.rule_arns and #input.rule_arns > 0 then
    entries = store.chosen(world, "rules", input.rule_arns)
  else
    world:fail("ValidationError", facts.errors.which_rule)
  end
  local page, marker = store.page(world, entries, input, show)
  return { rules = page, next_marker = marker }
end

function operations.modify_rule(world, input)
  local entry = store.get(world, "rules", input.rule_arn)
  if entry.description.is_default and input.conditions and #input.conditions > 0 then
    world:fail("OperationNotPermitted", facts.errors.default_conditions)
  end
  local changed = util.copy(entry.description)
  if input.conditions and #input.conditions > 0 then
    changed.conditions = conditions_of(world, input.conditions)
  end
  if input.actions and #input.actions > 0 then
    changed.actions = store.actions(world, input.actions)
  end
  entry.description = changed
  settle(world)
  return { rules = { show(world, entry) } }
end

function operations.set_rule_priorities(world, input)
  local out, moving = {}, {}
  for _, pair in ipairs(input.rule_priorities) do
    if store.get(world, "rules", pair.rule_arn).description.is_default then
      world:fail("OperationNotPermitted", facts.errors.default_priority)
    end
    moving[pair.rule_arn] = true
  end
  for _, pair in ipairs(input.rule_priorities) do
    priority_in_use(world, store.get(world, "rules", pair.rule_arn).listener, pair.priority, moving)
  end
  for index, pair in ipairs(input.rule_priorities) do
    local entry = store.get(world, "rules", pair.rule_arn)
    entry.description.priority = tostring(pair.priority)
    out[index] = show(world, entry)
  end
  return { rules = out }
end

function operations.delete_rule(world, input)
  local entry, index = store.find(world:state("elbv2").rules, "arn", input.rule_arn)
  if not entry then
    world:fail("RuleNotFound", facts.errors.RuleNotFound)
  elseif entry.description.is_default then
    world:fail("OperationNotPermitted", facts.errors.default_rule:format(entry.arn))
  end
  table.remove(world:state("elbv2").rules, index)
  settle(world)
  return {}
end

-- ---- weights -------------------------------------------------------------------------------------

-- The action of a rule that decides where requests go.
local function last_action(rule)
  return rule.description.actions[#rule.description.actions]
end

--- Where a rule forwards to: a list of {target_group_arn, weight}, empty when it does not forward. Nil when
-- there is no such rule.
function listeners.forwards(world, rule_arn)
  local rule = store.find(world:state("elbv2").rules, "arn", rule_arn)
  if not rule then
    return nil
  end
  local out, config = {}, last_action(rule).forward_config
  for index, group in ipairs(config and config.target_groups or {}) do
    out[index] = { target_group_arn = group.target_group_arn, weight = group.weight or 1 }
  end
  return out
end

-- A listener describes the actions of its default rule as its own.
local function follow_default_rule(world, rule)
  local listener = rule.description.is_default and store.find(world:state("elbv2").listeners, "arn", rule.listener)
  if listener then
    listener.description.default_actions = util.copy(rule.description.actions)
  end
end

--- Lets a rule forward by these weights: a list of {target_group_arn, weight}. False when there is no such rule.
function listeners.weigh(world, rule_arn, groups)
  local rule = store.find(world:state("elbv2").rules, "arn", rule_arn)
  if not rule then
    return false
  end
  local action = last_action(rule)
  local before = action.forward_config
  rule.description.actions[#rule.description.actions] = {
    type = "forward", order = action.order,
    forward_config = {
      target_groups = util.copy(groups),
      target_group_stickiness_config = before and before.target_group_stickiness_config or { enabled = false },
    },
  }
  follow_default_rule(world, rule)
  settle(world)
  return true
end

return listeners
