--- What load balancing keeps, and how its parts find it. Each list is in the order of creation; an
-- entry is { arn, name, description = as Describe shows it, attributes, tags, ... }.

local facts = require "sim.facts.elbv2"
local util = require "sim.util"

local store = {}

function store.init(_, state)
  state.balancers = {}
  state.groups = {} -- with `targets`, by "ip:port"
  state.listeners = {}
  state.rules = {}
  state.turn = 0 -- of the round robin
end

--- The entry of a list whose `member` is `value`, and its place.
function store.find(list, member, value)
  for index, entry in ipairs(list) do
    if entry[member] == value then
      return entry, index
    end
  end
end

local not_found = {
  balancers = "LoadBalancerNotFound", groups = "TargetGroupNotFound",
  listeners = "ListenerNotFound", rules = "RuleNotFound",
}

--- The entry of an ARN, or the service's error.
function store.get(world, kind, arn)
  local entry = store.find(world:state("elbv2")[kind], "arn", arn)
  if not entry then
    local code = not_found[kind]
    world:fail(code, facts.errors[code])
  end
  return entry
end

--- The entries of the ARNs or names asked for, in that order; all when nothing is asked for.
function store.chosen(world, kind, arns, names)
  local list = world:state("elbv2")[kind]
  if arns and #arns > 0 or names and #names > 0 then
    local out = {}
    for _, arn in ipairs(arns or {}) do
      out[#out + 1] = store.get(world, kind, arn)
    end
    for _, name in ipairs(names or {}) do
      local entry = store.find(list, "name", name)
      out[#out + 1] = entry or world:fail(not_found[kind], facts.errors[not_found[kind]])
    end
    return out
  end
  return table.move(list, 1, #list, 1, {})
end

--- One page of what `show` makes of the entries: the page and the next marker.
function store.page(world, entries, input, show)
  local page, marker = world:page(entries, input.marker, input.page_size or 400, "ValidationError")
  local out = {}
  for index, entry in ipairs(page) do
    out[index] = show(world, entry)
  end
  return out, marker
end

-- ---- attributes and tags -------------------------------------------------------------------------

--- Attributes as a list of {key, value}, in order.
function store.list_of(map)
  local out = {}
  for key, value in util.sorted_pairs(map) do
    out[#out + 1] = { key = key, value = value }
  end
  return out
end

--- Tags of an input as a map.
function store.tags_of(list)
  local out = {}
  for _, tag in ipairs(list or {}) do
    out[tag.key] = tag.value or ""
  end
  return out
end

--- Changes known attributes; an unknown one is refused with `text`.
function store.change(world, attributes, changes, text)
  for _, change in ipairs(changes) do
    if attributes[change.key] == nil then
      world:fail("ValidationError", text:format(tostring(change.key)))
    end
  end
  for _, change in ipairs(changes) do
    attributes[change.key] = change.value or ""
  end
end

-- ---- who forwards to whom ------------------------------------------------------------------------

local function forwards_to(actions, group_arn)
  for _, action in ipairs(actions) do
    if action.target_group_arn == group_arn then
      return true
    end
    for _, group in ipairs(action.forward_config and action.forward_config.target_groups or {}) do
      if group.target_group_arn == group_arn then
        return true
      end
    end
  end
  return false
end

--- The ARNs of the load balancers with a listener or rule that forwards to this group.
function store.balancers_of(world, group_arn)
  local state = world:state("elbv2")
  local seen, out = {}, {}
  local function add(arn)
    if not seen[arn] then
      seen[arn] = true
      out[#out + 1] = arn
    end
  end
  for _, listener in ipairs(state.listeners) do
    if forwards_to(listener.description.default_actions, group_arn) then
      add(listener.balancer)
    end
  end
  for _, rule in ipairs(state.rules) do
    if forwards_to(rule.description.actions, group_arn) then
      add(rule.balancer)
    end
  end
  return out
end

-- An action that forwards: its groups exist, and both ways of naming them agree.
local function complete_forward(world, action)
  local groups = action.forward_config and action.forward_config.target_groups
  local first = action.target_group_arn or groups and groups[1] and groups[1].target_group_arn
  if not first then
    world:fail("ValidationError", facts.errors.no_target)
  end
  if not groups or #groups == 0 then
    groups = { { target_group_arn = first, weight = 1 } }
    action.forward_config = { target_groups = groups, target_group_stickiness_config = { enabled = false } }
  elseif #groups == 1 then
    action.target_group_arn = first
  end
  for _, group in ipairs(groups) do
    if not store.find(world:state("elbv2").groups, "arn", group.target_group_arn) then
      world:fail("TargetGroupNotFound", facts.errors.no_group:format(tostring(group.target_group_arn)))
    end
  end
end

local function refuse_bad_redirect(world, action)
  local code = action.redirect_config and action.redirect_config.status_code
  if code ~= "HTTP_301" and code ~= "HTTP_302" then
    world:fail("ValidationError", facts.errors.redirect)
  end
end

local function refuse_bad_response(world, action)
  local code = action.fixed_response_config and action.fixed_response_config.status_code
  if not code or not code:match("^[245]%d%d$") then
    world:fail("ValidationError", facts.errors.fixed)
  end
end

local function leave(_, _) end

local last_actions = {
  forward = complete_forward, redirect = refuse_bad_redirect, ["fixed-response"] = refuse_bad_response,
}
local first_actions = {
  ["authenticate-oidc"] = leave, ["authenticate-cognito"] = leave, ["jwt-validation"] = leave,
}

--- Checks the actions of a listener or rule, and gives them as they are described later.
function store.actions(world, input)
  local out = util.copy(input)
  for index, action in ipairs(out) do
    action.order = action.order or (#out > 1 and index or nil)
    local complete = (index == #out and last_actions or first_actions)[action.type]
    if not complete then
      world:fail("ValidationError", facts.errors.action:format(tostring(action.type)))
    end
    complete(world, action)
  end
  if #out == 0 then
    world:fail("ValidationError", facts.errors.no_target)
  end
  return out
end

return store
