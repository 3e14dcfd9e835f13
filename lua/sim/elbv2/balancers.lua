--- Load balancers: made, described, changed, taken away.

local facts = require "sim.facts.elbv2"
local store = require "sim.elbv2.store"
local util = require "sim.util"

local balancers = { operations = {}, handlers = {} }
local operations = balancers.operations

local function show(_, entry)
  return util.copy(entry.description)
end

-- The subnets of an input as the zones of a load balancer, and their VPC.
local function zones_of(world, input)
  local ids = {}
  for _, id in ipairs(input.subnets or {}) do
    ids[#ids + 1] = id
  end
  for _, mapping in ipairs(input.subnet_mappings or {}) do
    ids[#ids + 1] = mapping.subnet_id
  end
  local zones, seen, vpc = {}, {}, nil
  for _, id in ipairs(ids) do
    local subnet = require("sim.ec2").subnet(world, id)
    if not subnet then
      world:fail("SubnetNotFound", facts.errors.subnet:format(id))
    end
    vpc = subnet.vpc_id
    seen[subnet.availability_zone] = true
    zones[#zones + 1] = { zone_name = subnet.availability_zone, subnet_id = id, load_balancer_addresses = {} }
  end
  local count = 0
  for _ in pairs(seen) do
    count = count + 1
  end
  return zones, vpc, count
end

local function groups_of(world, input, vpc)
  for _, id in ipairs(input.security_groups or {}) do
    if not require("sim.ec2").group(world, id) then
      world:fail("InvalidSecurityGroup", facts.errors.security_group)
    end
  end
  if input.security_groups and #input.security_groups > 0 then
    return util.copy(input.security_groups)
  end
  local default = require("sim.ec2").default_group(world, vpc)
  return { default and default.group_id }
end

local words = { application = "app", network = "net", gateway = "gwy" }

function operations.create_load_balancer(world, input)
  local state = world:state("elbv2")
  local kind = input.type or "application"
  local zones, vpc, count = zones_of(world, input)
  if kind == "application" and count < 2 then
    world:fail("ValidationError", facts.errors.subnets)
  end
  local present = store.find(state.balancers, "name", input.name)
  if present then
    if present.description.type ~= kind or present.description.vpc_id ~= vpc then
      world:fail("DuplicateLoadBalancerName", facts.errors.DuplicateLoadBalancerName:format(input.name))
    end
    return { load_balancers = { show(world, present) } }
  end
  local scheme = input.scheme or "internet-facing"
  local id, region = world:id(16), world.data.region
  local entry = {
    arn = world:arn("elasticloadbalancing", ("loadbalancer/%s/%s/%s"):format(words[kind] or "app", input.name, id)),
    name = input.name, attributes = util.copy(facts.balancer_attributes), tags = store.tags_of(input.tags), seen = {},
  }
  entry.description = {
    load_balancer_arn = entry.arn, load_balancer_name = input.name, type = kind, scheme = scheme, vpc_id = vpc,
    dns_name = ("%s%s-%s.%s.elb.amazonaws.com"):format(
      scheme == "internal" and "internal-" or "", input.name, world:random(100000000, 1999999999), region),
    canonical_hosted_zone_id = facts.zones[region] or facts.zones.other, created_time = world:now(),
    state = { code = "provisioning" }, availability_zones = zones, ip_address_type = input.ip_address_type or "ipv4",
    security_groups = kind == "application" and groups_of(world, input, vpc) or nil,
  }
  state.balancers[#state.balancers + 1] = entry
  world:after(facts.durations.provisioning, "elbv2.balancer_active", { arn = entry.arn })
  return { load_balancers = { show(world, entry) } }
end

function balancers.handlers.balancer_active(world, args)
  local entry = store.find(world:state("elbv2").balancers, "arn", args.arn)
  if entry then
    entry.description.state.code = "active"
  end
end

function operations.describe_load_balancers(world, input)
  local entries = store.chosen(world, "balancers", input.load_balancer_arns, input.names)
  local page, marker = store.page(world, entries, input, show)
  return { load_balancers = page, next_marker = marker }
end

function operations.delete_load_balancer(world, input)
  local state = world:state("elbv2")
  local entry, index = store.find(state.balancers, "arn", input.load_balancer_arn)
  if not entry then
    return {} -- as if it had been there
  end
  if entry.attributes["deletion_protection.enabled"] == "true" then
    world:fail("OperationNotPermitted", facts.errors.protected:format(entry.arn))
  end
  table.remove(state.balancers, index)
  require("sim.elbv2.listeners").drop_of(world, entry.arn)
  return {}
end

function operations.describe_load_balancer_attributes(world, input)
  return { attributes = store.list_of(store.get(world, "balancers", input.load_balancer_arn).attributes) }
end

function operations.modify_load_balancer_attributes(world, input)
  local entry = store.get(world, "balancers", input.load_balancer_arn)
  store.change(world, entry.attributes, input.attributes, facts.errors.balancer_attribute)
  return { attributes = store.list_of(entry.attributes) }
end

function operations.set_security_groups(world, input)
  local entry = store.get(world, "balancers", input.load_balancer_arn)
  entry.description.security_groups = groups_of(world, input, entry.description.vpc_id)
  return { security_group_ids = util.copy(entry.description.security_groups) }
end

function operations.set_subnets(world, input)
  local entry = store.get(world, "balancers", input.load_balancer_arn)
  local zones, _, count = zones_of(world, input)
  if entry.description.type == "application" and count < 2 then
    world:fail("ValidationError", facts.errors.subnets)
  end
  entry.description.availability_zones = zones
  return { availability_zones = util.copy(zones), ip_address_type = entry.description.ip_address_type }
end

return balancers
