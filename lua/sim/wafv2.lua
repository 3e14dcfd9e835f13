--- WAF, to describe: the web ACLs that a scenario made, and what they guard.

local facts = require "sim.facts.wafv2"
local util = require "sim.util"

local wafv2 = { operations = {} }
local operations = wafv2.operations

function wafv2.init(_, state)
  state.acls = {} -- in the order of creation: {description, lock, scope, guards = ARNs}
end

local function fail(world, code)
  world:fail(code, facts.errors[code])
end

local function find(world, input)
  for index, acl in ipairs(world:state("wafv2").acls) do
    local same = input.arn and acl.description.arn == input.arn
      or not input.arn and acl.description.id == input.id and acl.description.name == input.name
      and acl.scope == input.scope
    if same then
      return acl, index
    end
  end
  fail(world, "WAFNonexistentItemException")
end

local function summary(acl)
  local shown = acl.description
  return { name = shown.name, id = shown.id, arn = shown.arn, description = shown.description, lock_token = acl.lock }
end

function operations.create_web_acl(world, input)
  local acls = world:state("wafv2").acls
  for _, acl in ipairs(acls) do
    if acl.description.name == input.name and acl.scope == input.scope then
      fail(world, "WAFDuplicateItemException")
    end
  end
  local id = world:uuid()
  local place = input.scope == "CLOUDFRONT" and "global" or "regional"
  local acl = {
    scope = input.scope, lock = world:uuid(), guards = {},
    description = {
      name = input.name, id = id, arn = world:arn("wafv2", ("%s/webacl/%s/%s"):format(place, input.name, id)),
      default_action = util.copy(input.default_action), description = input.description or "",
      rules = util.copy(input.rules or {}),
      visibility_config = util.copy(input.visibility_config), capacity = 0, managed_by_firewall_manager = false,
      label_namespace = ("awswaf:%s:webacl:%s:"):format(world.data.account, input.name),
    },
  }
  acls[#acls + 1] = acl
  return { summary = summary(acl) }
end

function operations.list_web_acls(world, input)
  local list = {}
  for _, acl in ipairs(world:state("wafv2").acls) do
    list[#list + 1] = acl.scope == input.scope and summary(acl) or nil
  end
  local page, marker = world:page(list, input.next_marker, input.limit or 100, "WAFInvalidParameterException")
  return { web_acls = page, next_marker = marker }
end

function operations.get_web_acl(world, input)
  local acl = find(world, input)
  return { web_acl = util.copy(acl.description), lock_token = acl.lock }
end

function operations.delete_web_acl(world, input)
  local acl, index = find(world, input)
  if acl.lock ~= input.lock_token then
    fail(world, "WAFOptimisticLockException")
  elseif #acl.guards > 0 then
    fail(world, "WAFAssociatedItemException")
  end
  table.remove(world:state("wafv2").acls, index)
  return {}
end

local function leave(world, resource_arn)
  for _, acl in ipairs(world:state("wafv2").acls) do
    for index, guarded in ipairs(acl.guards) do
      if guarded == resource_arn then
        table.remove(acl.guards, index)
        return
      end
    end
  end
end

function operations.associate_web_acl(world, input)
  local acl = find(world, { arn = input.web_acl_arn })
  leave(world, input.resource_arn)
  acl.guards[#acl.guards + 1] = input.resource_arn
  return {}
end

function operations.disassociate_web_acl(world, input)
  leave(world, input.resource_arn)
  return {}
end

function operations.get_web_acl_for_resource(world, input)
  for _, acl in ipairs(world:state("wafv2").acls) do
    if util.holds(acl.guards, input.resource_arn) then
      return { web_acl = util.copy(acl.description) }
    end
  end
  return {}
end

function operations.list_resources_for_web_acl(world, input)
  return { resource_arns = util.copy(find(world, { arn = input.web_acl_arn }).guards) }
end

return wafv2
