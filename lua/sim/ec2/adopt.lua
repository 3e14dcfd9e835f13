--- Takes a recorded network over. What the world has from the start gives way; what could not be read and is
-- needed is made up, so that tasks have somewhere to run.

local facts = require "sim.facts.ec2"
local util = require "sim.util"

local adopt = {}

local function find(list, member, value)
  for _, entry in ipairs(list) do
    if entry[member] == value then
      return entry
    end
  end
end

local function tag_map(list)
  local out = {}
  for _, tag in ipairs(list or {}) do
    out[tag.key] = tag.value or ""
  end
  return out
end

local function copied(list)
  local out = {}
  for index, shown in ipairs(list) do
    out[index] = util.copy(shown)
    out[index].tags = tag_map(shown.tags)
  end
  return out
end

-- ---- what was read -------------------------------------------------------------------------------

local function complete_groups(groups)
  for _, group in ipairs(groups) do
    for _, member in ipairs { "ip_permissions", "ip_permissions_egress" } do
      group[member] = group[member] or {}
      for _, permission in ipairs(group[member]) do
        permission.ip_ranges = permission.ip_ranges or {}
        permission.user_id_group_pairs = permission.user_id_group_pairs or {}
      end
    end
  end
end

-- The gateway that the world has from the start, and its table when none was read, belong to the first VPC.
local function move_rest(state, recorded)
  local vpc = state.vpcs[1]
  for _, gateway in ipairs(state.gateways) do
    gateway.attachments[1].vpc_id = vpc.vpc_id
  end
  if #(recorded.route_tables or {}) > 0 then
    state.tables = copied(recorded.route_tables)
    return
  end
  for _, entry in ipairs(state.tables) do
    entry.vpc_id, entry.routes[1].destination_cidr_block = vpc.vpc_id, vpc.cidr_block
  end
end

--- Makes `recorded` the world's network: {vpcs, subnets, security_groups, route_tables}.
function adopt.network(world, recorded)
  local state = world:state("ec2")
  if #(recorded.vpcs or {}) > 0 then
    state.vpcs, state.subnets, state.groups = copied(recorded.vpcs), {}, {}
    move_rest(state, recorded)
  end
  table.move(copied(recorded.subnets or {}), 1, #(recorded.subnets or {}), #state.subnets + 1, state.subnets)
  local groups = copied(recorded.security_groups or {})
  complete_groups(groups)
  table.move(groups, 1, #groups, #state.groups + 1, state.groups)
end

-- ---- what is made up -----------------------------------------------------------------------------

-- The VPC of an id that others name, or the first there is.
local function need_vpc(world, id)
  local state = world:state("ec2")
  local known = id and find(state.vpcs, "vpc_id", id)
  if known or not id then
    return known or state.vpcs[1]
  end
  local vpc = util.copy(state.vpcs[1])
  vpc.vpc_id, vpc.is_default, vpc.tags = id, false, {}
  table.insert(state.vpcs, 1, vpc)
  return vpc
end

--- A subnet of this id, made up when none was read. `ip`: an address that is in it, or nil.
function adopt.need_subnet(world, id, vpc_id, ip)
  local state = world:state("ec2")
  if find(state.subnets, "subnet_id", id) then
    return
  end
  local vpc, number = need_vpc(world, vpc_id), #state.subnets
  local network = ip and ip:match("^(%d+%.%d+%.%d+)%.") or ("10.255.%d"):format(number % 256)
  local zone = number % 3 + 1
  state.subnets[number + 1] = {
    subnet_id = id, subnet_arn = world:arn("ec2", "subnet/" .. id), vpc_id = vpc.vpc_id,
    cidr_block = network .. ".0/24", availability_zone = world.data.region .. ("abc"):sub(zone, zone),
    state = "available", default_for_az = false, map_public_ip_on_launch = false, owner_id = world.data.account,
    tags = {}, available_ip_address_count = 256 - facts.reserved,
  }
end

--- A security group of this id, made up when none was read.
function adopt.need_group(world, id, vpc_id)
  local groups = world:state("ec2").groups
  if not find(groups, "group_id", id) then
    groups[#groups + 1] = {
      group_id = id, group_name = id, description = "not recorded", vpc_id = need_vpc(world, vpc_id).vpc_id,
      owner_id = world.data.account, ip_permissions = {}, ip_permissions_egress = {}, tags = {},
    }
  end
end

-- ---- interfaces ----------------------------------------------------------------------------------

--- The interface of a task that was recorded: {id, ip, mac, dns, zone, subnet}.
function adopt.interface(world, made, description, group_ids)
  local state, groups = world:state("ec2"), {}
  local subnet = find(state.subnets, "subnet_id", made.subnet) or {}
  for index, id in ipairs(group_ids or {}) do
    groups[index] = { group_id = id, group_name = (find(state.groups, "group_id", id) or {}).group_name }
  end
  state.interfaces[#state.interfaces + 1] = {
    network_interface_id = made.id, private_ip_address = made.ip, mac_address = made.mac, private_dns_name = made.dns,
    availability_zone = made.zone or subnet.availability_zone, subnet_id = made.subnet, vpc_id = subnet.vpc_id,
    description = description, groups = groups, interface_type = "interface", owner_id = world.data.account,
    requester_managed = true, status = "in-use", source_dest_check = true, tags = {},
    private_ip_addresses = { { primary = true, private_ip_address = made.ip, private_dns_name = made.dns } },
  }
end

return adopt
