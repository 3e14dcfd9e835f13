--- Target groups: made, described, changed, taken away.

local facts = require "sim.facts.elbv2"
local store = require "sim.elbv2.store"
local util = require "sim.util"

local groups = { operations = {} }
local operations = groups.operations

local function show(world, entry)
  local out = util.copy(entry.description)
  out.load_balancer_arns = store.balancers_of(world, entry.arn)
  return out
end
groups.show = show

-- What a check is like: members that CreateTargetGroup and ModifyTargetGroup share.
local check_members = {
  "health_check_enabled", "health_check_interval_seconds", "health_check_path", "health_check_port",
  "health_check_protocol", "health_check_timeout_seconds", "healthy_threshold_count", "matcher",
  "unhealthy_threshold_count",
}

local function take_checks(description, input)
  for _, member in ipairs(check_members) do
    if input[member] ~= nil then
      description[member] = util.copy(input[member])
    end
  end
end

local function refuse_bad_checks(world, description)
  if not description.health_check_enabled then
    world:fail("InvalidConfigurationRequest", facts.errors.unchecked:format(description.target_type))
  end
  if description.health_check_interval_seconds <= description.health_check_timeout_seconds then
    world:fail("ValidationError", facts.errors.interval)
  end
  local port = description.health_check_port
  local number = port:match("^%d+$") and tonumber(port)
  if port ~= "traffic-port" and not (number and number >= 1 and number <= 65535) then
    world:fail("ValidationError", facts.errors.check_port:format(port))
  end
  local codes = description.matcher and description.matcher.http_code
  if codes and not codes:match("^[%d,%-]+$") then
    world:fail("ValidationError", facts.errors.matcher:format(codes))
  end
end

local function describe_new(world, input)
  local kind = input.target_type or "instance"
  if kind ~= "ip" and kind ~= "instance" then
    world:fail("NotSimulated", ("The simulator has no target groups of type '%s'."):format(kind), { status = 501 })
  end
  if not (input.protocol and input.port and input.vpc_id) then
    world:fail("ValidationError", facts.errors.incomplete:format(kind))
  end
  if input.vpc_id and not require("sim.ec2").vpc(world, input.vpc_id) then
    world:fail("ValidationError", facts.errors.vpc:format(input.vpc_id))
  end
  local description = util.copy(facts.group)
  description.matcher = { http_code = facts.matcher }
  description.target_type = kind
  for _, member in ipairs { "protocol", "port", "vpc_id", "protocol_version", "ip_address_type" } do
    description[member] = input[member] or description[member]
  end
  take_checks(description, input)
  refuse_bad_checks(world, description)
  return description
end

function operations.create_target_group(world, input)
  local state = world:state("elbv2")
  local description = describe_new(world, input)
  local present = store.find(state.groups, "name", input.name)
  if present then
    local same = util.copy(present.description)
    same.target_group_arn, same.target_group_name = nil, nil
    if not util.equal(same, description) then
      world:fail("DuplicateTargetGroupName", facts.errors.DuplicateTargetGroupName:format(input.name))
    end
    return { target_groups = { show(world, present) } }
  end
  local entry = {
    arn = world:arn("elasticloadbalancing", ("targetgroup/%s/%s"):format(input.name, world:id(16))),
    name = input.name, description = description, targets = {},
    attributes = util.copy(facts.group_attributes), tags = store.tags_of(input.tags),
  }
  description.target_group_arn, description.target_group_name = entry.arn, input.name
  state.groups[#state.groups + 1] = entry
  return { target_groups = { show(world, entry) } }
end

function operations.describe_target_groups(world, input)
  local entries = store.chosen(world, "groups", input.target_group_arns, input.names)
  if input.load_balancer_arn then
    store.get(world, "balancers", input.load_balancer_arn)
    local kept = {}
    for _, entry in ipairs(entries) do
      if util.holds(store.balancers_of(world, entry.arn), input.load_balancer_arn) then
        kept[#kept + 1] = entry
      end
    end
    entries = kept
  end
  local page, marker = store.page(world, entries, input, show)
  return { target_groups = page, next_marker = marker }
end

function operations.modify_target_group(world, input)
  local entry = store.get(world, "groups", input.target_group_arn)
  local changed = util.copy(entry.description)
  take_checks(changed, input)
  refuse_bad_checks(world, changed)
  entry.description = changed
  require("sim.elbv2.targets").look_at_group(world, entry)
  return { target_groups = { show(world, entry) } }
end

function operations.delete_target_group(world, input)
  local state = world:state("elbv2")
  local entry, index = store.find(state.groups, "arn", input.target_group_arn)
  if not entry then
    return {} -- as if it had been there
  end
  if #store.balancers_of(world, entry.arn) > 0 then
    world:fail("ResourceInUse", facts.errors.group_in_use:format(entry.arn))
  end
  table.remove(state.groups, index)
  return {}
end

function operations.describe_target_group_attributes(world, input)
  return { attributes = store.list_of(store.get(world, "groups", input.target_group_arn).attributes) }
end

function operations.modify_target_group_attributes(world, input)
  local entry = store.get(world, "groups", input.target_group_arn)
  for _, change in ipairs(input.attributes) do
    local seconds = change.key == "deregistration_delay.timeout_seconds" and tonumber(change.value or "")
    if seconds == nil or seconds and (seconds < 0 or seconds > 3600 or seconds % 1 ~= 0) then
      world:fail("ValidationError", facts.errors.delay)
    end
  end
  store.change(world, entry.attributes, input.attributes, facts.errors.attribute)
  return { attributes = store.list_of(entry.attributes) }
end

return groups
