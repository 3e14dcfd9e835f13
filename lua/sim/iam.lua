--- IAM as far as tasks and checks before a run need it: roles, the policies on them, and whether an action
-- is allowed. Policies are kept and shown; what is allowed is everything that a scenario does not deny.

local facts = require "sim.facts.iam"
local faults = require "sim.faults"
local util = require "sim.util"

local iam = { operations = {} }
local operations = iam.operations

function iam.init(_, state)
  state.roles = {}    -- by name
  state.policies = {} -- by ARN, managed ones of the account
end

-- ---- helpers -------------------------------------------------------------------------------------

-- IAM is one for all regions: its ARNs name none.
local function arn(world, resource)
  return ("arn:aws:iam::%s:%s"):format(world.data.account, resource)
end

local upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

-- Documents travel percent-encoded.
local function encoded(document)
  return (document:gsub("[^%w%-._~]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

local function page(world, list, input, name)
  local part, marker = world:page(list, input.marker, input.max_items or 100, "InvalidInput")
  return { [name] = part, is_truncated = marker ~= nil, marker = marker }
end

local function role_of(world, name)
  return world:state("iam").roles[name]
    or world:fail("NoSuchEntity", facts.errors.role:format(name), { status = 404 })
end

local function policy_of(world, policy_arn)
  local known = world:state("iam").policies[policy_arn]
  local name = policy_arn:match("^arn:aws:iam::aws:policy/.*$") and util.last_part(policy_arn)
  if not known and name then -- AWS's own: there are many, and nobody lists what they hold here
    return { arn = policy_arn, name = name, document = facts.managed[name] or facts.opaque, created = facts.long_ago }
  end
  return known or world:fail("NoSuchEntity", facts.errors.policy:format(policy_arn), { status = 404 })
end

-- ---- roles ---------------------------------------------------------------------------------------

local function show_role(role)
  local tags = {}
  for key, value in util.sorted_pairs(role.tags) do
    tags[#tags + 1] = { key = key, value = value }
  end
  return {
    role_name = role.name, role_id = role.id, arn = role.arn, path = role.path, create_date = role.created,
    assume_role_policy_document = encoded(role.trust), description = role.description, tags = tags,
    max_session_duration = role.max_session,
  }
end

function operations.create_role(world, input)
  local roles = world:state("iam").roles
  if roles[input.role_name] then
    world:fail("EntityAlreadyExists", facts.errors.role_exists:format(input.role_name), { status = 409 })
  end
  local path = input.path or "/"
  local role = {
    name = input.role_name, id = "AROA" .. world:id(17, upper), path = path, created = world:now(),
    arn = arn(world, "role" .. path .. input.role_name), trust = input.assume_role_policy_document,
    description = input.description, max_session = input.max_session_duration or 3600, tags = {},
    attached = {}, inline = {},
  }
  for _, tag in ipairs(input.tags or {}) do
    role.tags[tag.key] = tag.value
  end
  roles[role.name] = role
  return { role = show_role(role) }
end

function operations.get_role(world, input)
  return { role = show_role(role_of(world, input.role_name)) }
end

function operations.list_roles(world, input)
  local list, prefix = {}, input.path_prefix or "/"
  for _, role in util.sorted_pairs(world:state("iam").roles) do
    if role.path:sub(1, #prefix) == prefix then
      local shown = show_role(role)
      shown.tags = nil
      list[#list + 1] = shown
    end
  end
  return page(world, list, input, "roles")
end

function operations.delete_role(world, input)
  local role = role_of(world, input.role_name)
  if #role.attached > 0 then
    world:fail("DeleteConflict", facts.errors.attached, { status = 409 })
  elseif next(role.inline) ~= nil then
    world:fail("DeleteConflict", facts.errors.inline, { status = 409 })
  end
  world:state("iam").roles[input.role_name] = nil
  return {}
end

function operations.list_role_tags(world, input)
  return page(world, show_role(role_of(world, input.role_name)).tags, input, "tags")
end

function operations.update_assume_role_policy(world, input)
  role_of(world, input.role_name).trust = input.policy_document
  return {}
end

-- ---- policies on roles ---------------------------------------------------------------------------

function operations.attach_role_policy(world, input)
  local role = role_of(world, input.role_name)
  policy_of(world, input.policy_arn)
  if not util.holds(role.attached, input.policy_arn) then
    role.attached[#role.attached + 1] = input.policy_arn
  end
  return {}
end

function operations.detach_role_policy(world, input)
  local role = role_of(world, input.role_name)
  for index, policy_arn in ipairs(role.attached) do
    if policy_arn == input.policy_arn then
      table.remove(role.attached, index)
      return {}
    end
  end
  world:fail("NoSuchEntity", facts.errors.policy:format(input.policy_arn), { status = 404 })
end

function operations.list_attached_role_policies(world, input)
  local list = {}
  for index, policy_arn in ipairs(role_of(world, input.role_name).attached) do
    list[index] = { policy_arn = policy_arn, policy_name = util.last_part(policy_arn) }
  end
  return page(world, list, input, "attached_policies")
end

function operations.put_role_policy(world, input)
  role_of(world, input.role_name).inline[input.policy_name] = input.policy_document
  return {}
end

local function inline_of(world, input)
  local document = role_of(world, input.role_name).inline[input.policy_name]
  return document or world:fail("NoSuchEntity", facts.errors.inline_policy:format(input.policy_name), { status = 404 })
end

function operations.get_role_policy(world, input)
  local document = inline_of(world, input)
  return { role_name = input.role_name, policy_name = input.policy_name, policy_document = encoded(document) }
end

function operations.list_role_policies(world, input)
  local list = {}
  for name in util.sorted_pairs(role_of(world, input.role_name).inline) do
    list[#list + 1] = name
  end
  return page(world, list, input, "policy_names")
end

function operations.delete_role_policy(world, input)
  inline_of(world, input)
  world:state("iam").roles[input.role_name].inline[input.policy_name] = nil
  return {}
end

-- ---- managed policies ----------------------------------------------------------------------------

local function show_policy(policy)
  return {
    policy_name = policy.name, arn = policy.arn, policy_id = policy.id, path = policy.path or "/",
    create_date = policy.created,
    update_date = policy.created, default_version_id = "v1", is_attachable = true, description = policy.description,
  }
end

function operations.create_policy(world, input)
  local path = input.path or "/"
  local policy_arn = arn(world, "policy" .. path .. input.policy_name)
  local policies = world:state("iam").policies
  if policies[policy_arn] then
    world:fail("EntityAlreadyExists", facts.errors.policy_exists:format(input.policy_name), { status = 409 })
  end
  policies[policy_arn] = {
    arn = policy_arn, name = input.policy_name, id = "ANPA" .. world:id(17, upper), path = path, created = world:now(),
    document = input.policy_document, description = input.description,
  }
  return { policy = show_policy(policies[policy_arn]) }
end

function operations.get_policy(world, input)
  return { policy = show_policy(policy_of(world, input.policy_arn)) }
end

function operations.get_policy_version(world, input)
  local policy = policy_of(world, input.policy_arn)
  if input.version_id ~= "v1" then
    world:fail("NoSuchEntity", facts.errors.version:format(input.policy_arn, input.version_id), { status = 404 })
  end
  return { policy_version = {
    document = encoded(policy.document), version_id = "v1", is_default_version = true, create_date = policy.created,
  } }
end

function operations.delete_policy(world, input)
  policy_of(world, input.policy_arn)
  for _, role in util.sorted_pairs(world:state("iam").roles) do
    if util.holds(role.attached, input.policy_arn) then
      world:fail("DeleteConflict", facts.errors.policy_attached, { status = 409 })
    end
  end
  world:state("iam").policies[input.policy_arn] = nil
  return {}
end

-- ---- what is allowed -----------------------------------------------------------------------------

--- Whether a role may do an action: yes, unless the scenario denies it to the role or to everybody.
function iam.allows(world, role_arn, action, _)
  local role = role_arn and util.last_part(role_arn)
  local service = action:match("^[^:]*") .. ":*"
  for _, key in ipairs { action, service, "*" } do
    if faults.of(world, "denied", key) or role and faults.of(world, "denied", role .. " " .. key) then
      return false
    end
  end
  return true
end

function operations.simulate_principal_policy(world, input)
  local list = {}
  local resources = input.resource_arns and #input.resource_arns > 0 and input.resource_arns or { "*" }
  for _, action in ipairs(input.action_names) do
    for _, resource in ipairs(resources) do
      local allowed = iam.allows(world, input.policy_source_arn, action, resource) and not faults.denies(world, action)
      list[#list + 1] = {
        eval_action_name = action, eval_resource_name = resource, matched_statements = {}, missing_context_values = {},
        eval_decision = allowed and "allowed" or "implicitDeny",
      }
    end
  end
  return page(world, list, input, "evaluation_results")
end

function operations.list_account_aliases()
  return { account_aliases = {}, is_truncated = false }
end

return iam
