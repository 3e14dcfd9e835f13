--- The load balancers of a service, and the network that it is in.

local lists = require "lib.lists"

local balancing = {}

-- ---- load balancing ------------------------------------------------------------------------------

local function group_arns(service)
  local arns, add = lists.set()
  for _, balancer in ipairs(service.load_balancers or {}) do
    add(balancer.target_group_arn)
    add((balancer.advanced_configuration or {}).alternate_target_group_arn)
  end
  return arns
end

local function balancer_arns(groups)
  local arns, add = lists.set()
  for _, group in ipairs(groups) do
    for _, arn in ipairs(group.load_balancer_arns or {}) do
      add(arn)
    end
  end
  return arns
end

local function arns_of(list, member)
  local out = {}
  for index, item in ipairs(list) do
    out[index] = item[member]
  end
  return out
end

local function by_arn(member)
  return function(arn)
    return { [member] = arn }
  end
end

local function read_groups(reader, out, arns)
  out.target_groups = reader:gather(arns, "target_groups", "target group", elbv2.describe_target_groups, function(arn)
    return { target_group_arns = { arn } }
  end)
  local found = arns_of(out.target_groups, "target_group_arn")
  local of = by_arn "target_group_arn"
  together {
    function()
      out.target_group_attributes = reader:gather_by(
        found, "attributes", "attributes of", elbv2.describe_target_group_attributes, of)
    end,
    function()
      out.target_health = reader:gather_by(
        found, "target_health_descriptions", "target health of", elbv2.describe_target_health, of)
    end,
  }
end

local function read_balancers(reader, out, arns)
  local of = by_arn "load_balancer_arn"
  together {
    function()
      out.load_balancers = reader:gather(
        arns, "load_balancers", "load balancer", elbv2.describe_load_balancers, function(arn)
          return { load_balancer_arns = { arn } }
        end)
    end,
    function()
      out.load_balancer_attributes = reader:gather_by(
        arns, "attributes", "attributes of", elbv2.describe_load_balancer_attributes, of)
    end,
    function()
      out.listeners = reader:gather(arns, "listeners", "listeners of", elbv2.describe_listeners, of)
      out.rules = reader:gather_by(
        arns_of(out.listeners, "listener_arn"), "rules", "rules of", elbv2.describe_rules, by_arn "listener_arn")
    end,
  }
end

local function read_tags(reader, out)
  local arns = arns_of(out.target_groups, "target_group_arn")
  table.move(arns_of(out.load_balancers, "load_balancer_arn"), 1, #out.load_balancers, #arns + 1, arns)
  out.tags = reader:gather(
    lists.parts(arns, 20), "tag_descriptions", "tags of target groups and load balancers", elbv2.describe_tags,
    function(part)
      return { resource_arns = part }
    end)
end

--- What Elastic Load Balancing says of a service: {target_groups, target_group_attributes and target_health
-- by ARN, load_balancers, load_balancer_attributes by ARN, listeners, rules by listener, tags}.
function balancing.read(reader, service)
  local out = {}
  read_groups(reader, out, group_arns(service))
  read_balancers(reader, out, balancer_arns(out.target_groups))
  read_tags(reader, out)
  return out
end

-- ---- network -------------------------------------------------------------------------------------

local function network_of(thing)
  return (thing.network_configuration or {}).awsvpc_configuration or {}
end

local function ids_of(world)
  local subnets, add_subnet = lists.set()
  local groups, add_group = lists.set()
  local function add_network(network)
    for _, id in ipairs(network.subnets or {}) do
      add_subnet(id)
    end
    for _, id in ipairs(network.security_groups or {}) do
      add_group(id)
    end
  end
  for _, service in ipairs(world.ecs.services) do
    add_network(network_of(service))
    for _, deployment in ipairs(service.deployments or {}) do
      add_network(network_of(deployment))
    end
  end
  for _, revision in ipairs(world.ecs.service_revisions) do
    add_network(network_of(revision))
  end
  for _, balancer in ipairs(world.elbv2.load_balancers) do
    for _, zone in ipairs(balancer.availability_zones or {}) do
      add_subnet(zone.subnet_id)
    end
    add_network { security_groups = balancer.security_groups }
  end
  return subnets, groups
end

-- By a filter: one that is gone is left out, where its id would be an error.
local function describe(reader, what, primitive, filter, ids)
  if #ids == 0 then
    return {}
  end
  return reader:all(what, primitive, { filters = { { name = filter, values = ids } } })
end

local function vpcs_of(world, subnets, groups)
  local ids, add = lists.set()
  for _, list in ipairs { subnets, groups, world.elbv2.target_groups, world.elbv2.load_balancers } do
    for _, item in ipairs(list) do
      add(item.vpc_id)
    end
  end
  return ids
end

--- What EC2 says of the network of `world.ecs` and `world.elbv2`: {vpcs, subnets, security_groups,
-- route_tables}.
function balancing.network(reader, world)
  local out = {}
  local subnet_ids, group_ids = ids_of(world)
  together {
    function()
      out.subnets = describe(reader, "subnets", ec2.describe_subnets, "subnet-id", subnet_ids).subnets or {}
    end,
    function()
      out.security_groups = describe(
        reader, "security groups", ec2.describe_security_groups, "group-id", group_ids).security_groups or {}
    end,
  }
  local vpc_ids = vpcs_of(world, out.subnets, out.security_groups)
  together {
    function()
      out.vpcs = describe(reader, "VPCs", ec2.describe_vpcs, "vpc-id", vpc_ids).vpcs or {}
    end,
    function()
      out.route_tables = describe(
        reader, "route tables", ec2.describe_route_tables, "vpc-id", vpc_ids).route_tables or {}
    end,
  }
  return out
end

return balancing
