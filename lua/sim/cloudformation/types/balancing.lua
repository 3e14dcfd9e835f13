--- Resources of load balancing: target groups, load balancers, listeners and their rules.

local ask = require "sim.cloudformation.ask"
local properties = require "sim.cloudformation.properties"
local util = require "sim.util"

local call = ask.call
local types = {}

-- Attributes are a list of keys and values, all of them text.
local function attributes_of(list)
  local out = {}
  for index, item in ipairs(list or {}) do
    out[index] = { key = item.Key, value = tostring(item.Value) }
  end
  return out
end

-- ---- target groups -------------------------------------------------------------------------------

local group = {
  replace = { Name = true, Port = true, Protocol = true, ProtocolVersion = true, TargetType = true, VpcId = true,
    IpAddressType = true },
}
types["AWS::ElasticLoadBalancingV2::TargetGroup"] = group

local function set_group_attributes(world, arn, given)
  local attributes = attributes_of(given.TargetGroupAttributes)
  if attributes[1] then
    call(world, "elbv2", "modify_target_group_attributes", { target_group_arn = arn, attributes = attributes })
  end
end

local function group_input(given)
  local input = properties.input(given)
  input.target_group_attributes, input.targets = nil, nil
  return input
end

function group.create(world, given, about)
  local input = group_input(given)
  input.name = given.Name or about.short_name()
  local made = call(world, "elbv2", "create_target_group", input).target_groups[1]
  local arn = made.target_group_arn
  set_group_attributes(world, arn, given)
  if given.Targets and given.Targets[1] then
    call(world, "elbv2", "register_targets", { target_group_arn = arn, targets = properties.input(given.Targets) })
  end
  return arn, {
    TargetGroupArn = arn, TargetGroupName = made.target_group_name, TargetGroupFullName = arn:match("(targetgroup/.*)$"),
    LoadBalancerArns = {},
  }
end

function group.update(world, resource, given)
  local input = group_input(given)
  for _, member in ipairs { "name", "port", "protocol", "vpc_id", "target_type", "tags" } do
    input[member] = nil
  end
  input.target_group_arn = resource.physical
  call(world, "elbv2", "modify_target_group", input)
  set_group_attributes(world, resource.physical, given)
end

function group.delete(world, resource)
  ask.remove(world, "elbv2", "delete_target_group", { target_group_arn = resource.physical })
end

-- ---- load balancers ------------------------------------------------------------------------------

local balancer = { replace = { Name = true, Scheme = true, Type = true } }
types["AWS::ElasticLoadBalancingV2::LoadBalancer"] = balancer

local function set_balancer_attributes(world, arn, given)
  local attributes = attributes_of(given.LoadBalancerAttributes)
  if attributes[1] then
    call(world, "elbv2", "modify_load_balancer_attributes", { load_balancer_arn = arn, attributes = attributes })
  end
end

function balancer.create(world, given, about)
  local input = properties.input(given)
  input.load_balancer_attributes = nil
  input.name = given.Name or about.short_name()
  local made = call(world, "elbv2", "create_load_balancer", input).load_balancers[1]
  set_balancer_attributes(world, made.load_balancer_arn, given)
  return made.load_balancer_arn, {
    LoadBalancerArn = made.load_balancer_arn, DNSName = made.dns_name, LoadBalancerName = made.load_balancer_name,
    CanonicalHostedZoneID = made.canonical_hosted_zone_id, SecurityGroups = util.copy(made.security_groups),
    LoadBalancerFullName = made.load_balancer_arn:match("loadbalancer/(.*)$"),
  }
end

function balancer.update(world, resource, given, changed)
  local arn = resource.physical
  set_balancer_attributes(world, arn, given)
  if changed.SecurityGroups then
    call(world, "elbv2", "set_security_groups", { load_balancer_arn = arn, security_groups = given.SecurityGroups })
  end
  if changed.Subnets or changed.SubnetMappings then
    call(world, "elbv2", "set_subnets", {
      load_balancer_arn = arn, subnets = given.Subnets, subnet_mappings = properties.input(given.SubnetMappings),
    })
  end
end

function balancer.ready(world, resource)
  local found = call(world, "elbv2", "describe_load_balancers", { load_balancer_arns = { resource.physical } })
  return found.load_balancers[1].state.code == "active"
end

function balancer.delete(world, resource)
  ask.remove(world, "elbv2", "delete_load_balancer", { load_balancer_arn = resource.physical })
end

-- ---- listeners and rules -------------------------------------------------------------------------

local listener = { replace = { LoadBalancerArn = true }, required = { "LoadBalancerArn", "DefaultActions" } }
types["AWS::ElasticLoadBalancingV2::Listener"] = listener

function listener.create(world, given)
  local input = properties.input(given)
  input.listener_attributes = nil
  local made = call(world, "elbv2", "create_listener", input).listeners[1]
  return made.listener_arn, { ListenerArn = made.listener_arn }
end

function listener.update(world, resource, given)
  local input = properties.pick(properties.input(given), {
    "port", "protocol", "certificates", "ssl_policy", "default_actions",
  })
  input.listener_arn = resource.physical
  call(world, "elbv2", "modify_listener", input)
end

function listener.delete(world, resource)
  ask.remove(world, "elbv2", "delete_listener", { listener_arn = resource.physical })
end

local rule = { replace = { ListenerArn = true }, required = { "ListenerArn", "Priority", "Conditions", "Actions" } }
types["AWS::ElasticLoadBalancingV2::ListenerRule"] = rule

function rule.create(world, given)
  local made = call(world, "elbv2", "create_rule", properties.input(given)).rules[1]
  return made.rule_arn, { RuleArn = made.rule_arn, IsDefault = false }
end

function rule.update(world, resource, given, changed)
  local input = properties.input(given)
  call(world, "elbv2", "modify_rule", {
    rule_arn = resource.physical, conditions = input.conditions, actions = input.actions,
  })
  if changed.Priority then
    call(world, "elbv2", "set_rule_priorities", {
      rule_priorities = { { rule_arn = resource.physical, priority = input.priority } },
    })
  end
end

function rule.delete(world, resource)
  ask.remove(world, "elbv2", "delete_rule", { rule_arn = resource.physical })
end

return types
