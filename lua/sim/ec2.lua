--- The network: a VPC with three subnets and its groups, to describe and to put tasks into.

local facts = require "sim.facts.ec2"
local util = require "sim.util"

local ec2 = { operations = {}, handlers = {} }
local operations = ec2.operations

-- ---- addresses -----------------------------------------------------------------------------------

local function number_of(ip)
  local a, b, c, d = ip:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$")
  a, b, c, d = tonumber(a), tonumber(b), tonumber(c), tonumber(d)
  if not a or a > 255 or b > 255 or c > 255 or d > 255 then
    return nil
  end
  return a << 24 | b << 16 | c << 8 | d
end

local function ip_of(number)
  return ("%d.%d.%d.%d"):format(number >> 24 & 255, number >> 16 & 255, number >> 8 & 255, number & 255)
end

-- First address and how many there are of "10.0.0.0/20".
local function block(text)
  local ip, bits = text:match("^([%d.]+)/(%d+)$")
  local first = ip and number_of(ip)
  bits = tonumber(bits)
  if not first or bits > 32 then
    return nil
  end
  local count = 1 << (32 - bits)
  return first // count * count, count
end

--- Whether a text is an IPv4 address.
function ec2.is_ip(text)
  return number_of(text) ~= nil
end

--- Whether an address is in a block.
function ec2.block_holds(text, ip)
  local first, count = block(text)
  local number = number_of(ip)
  return first ~= nil and number ~= nil and number >= first and number < first + count
end

-- ---- what there is from the start ----------------------------------------------------------------

local function allow_all_out()
  return { { ip_protocol = "-1", ip_ranges = { { cidr_ip = "0.0.0.0/0" } }, user_id_group_pairs = {} } }
end

local function add_group(world, state, vpc_id, name, description)
  local group = {
    group_id = "sg-" .. world:id(17), group_name = name, description = description, vpc_id = vpc_id,
    owner_id = world.data.account, ip_permissions = {}, ip_permissions_egress = allow_all_out(), tags = {},
  }
  state.groups[#state.groups + 1] = group
  return group
end

local function add_subnet(world, state, vpc_id, text, letter)
  local id = "subnet-" .. world:id(17)
  local _, count = block(text)
  local region = world.data.region
  state.subnets[#state.subnets + 1] = {
    subnet_id = id, subnet_arn = world:arn("ec2", "subnet/" .. id), vpc_id = vpc_id, cidr_block = text,
    availability_zone = region .. letter, state = "available", default_for_az = true,
    availability_zone_id = ("%s-az%d"):format(facts.zone_ids[region] or facts.zone_ids.other, letter:byte() - 96),
    map_public_ip_on_launch = true, owner_id = world.data.account, tags = {},
    available_ip_address_count = count - facts.reserved,
  }
end

function ec2.init(world, state)
  state.groups, state.subnets, state.interfaces = {}, {}, {}
  local vpc_id = "vpc-" .. world:id(17)
  state.vpcs = { {
    vpc_id = vpc_id, cidr_block = facts.vpc_block, is_default = true, state = "available",
    instance_tenancy = "default", owner_id = world.data.account, dhcp_options_id = "dopt-" .. world:id(17), tags = {},
    cidr_block_association_set = { {
      association_id = "vpc-cidr-assoc-" .. world:id(17), cidr_block = facts.vpc_block,
      cidr_block_state = { state = "associated" },
    } },
  } }
  for index, text in ipairs(facts.subnet_blocks) do
    add_subnet(world, state, vpc_id, text, ("abc"):sub(index, index))
  end
  local default = add_group(world, state, vpc_id, "default", "default VPC security group")
  default.ip_permissions = { {
    ip_protocol = "-1", ip_ranges = {},
    user_id_group_pairs = { { group_id = default.group_id, user_id = world.data.account } },
  } }
  state.gateways = { {
    internet_gateway_id = "igw-" .. world:id(17), owner_id = world.data.account, tags = {},
    attachments = { { state = "available", vpc_id = vpc_id } },
  } }
  local table_id = "rtb-" .. world:id(17)
  state.tables = { {
    route_table_id = table_id, vpc_id = vpc_id, owner_id = world.data.account, propagating_vgws = {}, tags = {},
    associations = { {
      main = true, route_table_id = table_id, route_table_association_id = "rtbassoc-" .. world:id(17),
      association_state = { state = "associated" },
    } },
    routes = {
      { destination_cidr_block = facts.vpc_block, gateway_id = "local", origin = "CreateRouteTable", state = "active" },
      { destination_cidr_block = "0.0.0.0/0", gateway_id = state.gateways[1].internet_gateway_id,
        origin = "CreateRoute", state = "active" },
    },
  } }
end

-- ---- finding -------------------------------------------------------------------------------------

local function find(list, member, value)
  for index, entry in ipairs(list) do
    if entry[member] == value then
      return entry, index
    end
  end
end

local function fail(world, code, ...)
  world:fail(code, facts.errors[code]:format(...))
end

--- The VPC, subnet or group of an id, or nil.
function ec2.vpc(world, id)
  return find(world:state("ec2").vpcs, "vpc_id", id)
end

function ec2.subnet(world, id)
  return find(world:state("ec2").subnets, "subnet_id", id)
end

function ec2.group(world, id)
  return find(world:state("ec2").groups, "group_id", id)
end

--- A new VPC, with the group that each has. Gives its id.
function ec2.add_vpc(world, text, tags)
  local state = world:state("ec2")
  local id = "vpc-" .. world:id(17)
  state.vpcs[#state.vpcs + 1] = {
    vpc_id = id, cidr_block = text, is_default = false, state = "available", instance_tenancy = "default",
    owner_id = world.data.account, dhcp_options_id = state.vpcs[1].dhcp_options_id, tags = tags or {},
    cidr_block_association_set = { {
      association_id = "vpc-cidr-assoc-" .. world:id(17), cidr_block = text, cidr_block_state = { state = "associated" },
    } },
  }
  add_group(world, state, id, "default", "default VPC security group")
  return id
end

--- A new subnet of a VPC; `zone` is its name, or nil: the first. Gives its id.
function ec2.add_subnet(world, vpc_id, text, zone, tags)
  local state = world:state("ec2")
  add_subnet(world, state, vpc_id, text, zone and zone:sub(-1) or "a")
  local subnet = state.subnets[#state.subnets]
  subnet.default_for_az, subnet.map_public_ip_on_launch, subnet.tags = false, false, tags or {}
  return subnet.subnet_id
end

--- Takes away a subnet, or a VPC with its groups; false while something is inside.
function ec2.remove(world, id)
  local state = world:state("ec2")
  for _, interface in ipairs(state.interfaces) do
    if interface.subnet_id == id or interface.vpc_id == id then
      return false
    end
  end
  for _, list in ipairs { state.subnets, state.groups, state.vpcs } do
    for index = #list, 1, -1 do
      if list[index].subnet_id == id or list[index].vpc_id == id then
        table.remove(list, index)
      end
    end
  end
  return true
end

--- Whether a text is an IPv4 block.
function ec2.is_block(text)
  return block(text) ~= nil
end

--- The group that a VPC has by itself.
function ec2.default_group(world, vpc_id)
  for _, group in ipairs(world:state("ec2").groups) do
    if group.vpc_id == vpc_id and group.group_name == "default" then
      return group
    end
  end
end

--- The VPC that an account has by itself, and its subnets.
function ec2.default_vpc(world)
  local state = world:state("ec2")
  return state.vpcs[1], state.subnets
end

--- The zone of the subnet that holds an address, or nil.
function ec2.zone_of(world, ip)
  for _, subnet in ipairs(world:state("ec2").subnets) do
    if ec2.block_holds(subnet.cidr_block, ip) then
      return subnet.availability_zone
    end
  end
end

--- Whether an address is one of a VPC's.
function ec2.in_vpc(world, vpc_id, ip)
  local vpc = ec2.vpc(world, vpc_id)
  return vpc ~= nil and ec2.block_holds(vpc.cidr_block, ip)
end

-- ---- describing ----------------------------------------------------------------------------------

-- A member by the path that a filter's name stands for: "tag:Name", "vpc-id", "group-name".
local function value_of(entry, name)
  local tag = name:match("^tag:(.*)$")
  if tag then
    return entry.tags and entry.tags[tag]
  end
  return entry[(name:gsub("%-", "_"))]
end

local function glob(pattern, text)
  local expression = pattern:gsub("[^%w*?]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".")
  return text:match("^" .. expression .. "$") ~= nil
end

local aliases = { ["vpc-id"] = "vpc_id", isDefault = "is_default", ["is-default"] = "is_default",
  ["cidr-block"] = "cidr_block", cidr = "cidr_block", defaultForAz = "default_for_az",
  availabilityZone = "availability_zone" }

local function passes(world, entry, filter, known)
  if not filter.name then
    world:fail("InvalidParameterValue", facts.errors.filter:format("null"))
  end
  local name = aliases[filter.name] or filter.name
  if filter.name == "tag-key" then
    for _, key in ipairs(filter.values or {}) do
      if entry.tags and entry.tags[key] then
        return true
      end
    end
    return false
  end
  if known and known[filter.name] then
    return known[filter.name](entry, filter.values or {})
  end
  local value = value_of(entry, name)
  if value == nil then
    if not name:match("^tag:") and not name:match("^[%a_%-]+$") then
      world:fail("InvalidParameterValue", facts.errors.filter:format(filter.name))
    end
    return false
  end
  for _, wanted in ipairs(filter.values or {}) do
    if glob(wanted, tostring(value)) then
      return true
    end
  end
  return false
end

local function show(entry)
  local out = util.copy(entry)
  out.tags = {}
  for key, value in util.sorted_pairs(entry.tags or {}) do
    out.tags[#out.tags + 1] = { key = key, value = value }
  end
  return out
end

-- What Describe gives of a list: the ids asked for (an unknown one is an error), then the filters.
local function describe(world, list, input, ids, member, code, known)
  for _, id in ipairs(ids or {}) do
    if not find(list, member, id) then
      fail(world, code, id)
    end
  end
  local out = {}
  for _, entry in ipairs(list) do
    local wanted = not ids or #ids == 0 or util.holds(ids, entry[member])
    for _, filter in ipairs(input.filters or {}) do
      wanted = wanted and passes(world, entry, filter, known)
    end
    out[#out + 1] = wanted and show(entry) or nil
  end
  return world:page(out, input.next_token, input.max_results or 1000, "InvalidNextToken")
end

function operations.describe_vpcs(world, input)
  local page, token = describe(world, world:state("ec2").vpcs, input, input.vpc_ids, "vpc_id", "InvalidVpcID.NotFound")
  return { vpcs = page, next_token = token }
end

function operations.describe_subnets(world, input)
  local page, token = describe(world, world:state("ec2").subnets, input, input.subnet_ids, "subnet_id",
    "InvalidSubnetID.NotFound")
  return { subnets = page, next_token = token }
end

function operations.describe_security_groups(world, input)
  local list = world:state("ec2").groups
  if input.group_names and #input.group_names > 0 then
    local named = {}
    for _, name in ipairs(input.group_names) do
      named[#named + 1] = find(list, "group_name", name) or fail(world, "InvalidGroup.NotFound", name)
    end
    list = named
  end
  local page, token = describe(world, list, input, input.group_ids, "group_id", "InvalidGroup.NotFound")
  return { security_groups = page, next_token = token }
end

function operations.describe_network_interfaces(world, input)
  local known = {
    ["group-id"] = function(entry, values)
      for _, group in ipairs(entry.groups) do
        if util.holds(values, group.group_id) then
          return true
        end
      end
      return false
    end,
    ["addresses.private-ip-address"] = function(entry, values)
      return util.holds(values, entry.private_ip_address)
    end,
  }
  local page, token = describe(world, world:state("ec2").interfaces, input, input.network_interface_ids,
    "network_interface_id", "InvalidNetworkInterfaceID.NotFound", known)
  for _, entry in ipairs(page) do
    entry.tag_set, entry.tags = entry.tags, nil
  end
  return { network_interfaces = page, next_token = token }
end

function operations.describe_route_tables(world, input)
  local known = {
    ["association.main"] = function(entry, values)
      return util.holds(values, tostring(entry.associations[1] and entry.associations[1].main or false))
    end,
    ["association.subnet-id"] = function() return false end, -- every subnet uses the main table
  }
  local page, token = describe(world, world:state("ec2").tables, input, input.route_table_ids, "route_table_id",
    "InvalidRouteTableID.NotFound", known)
  return { route_tables = page, next_token = token }
end

function operations.describe_internet_gateways(world, input)
  local known = {
    ["attachment.vpc-id"] = function(entry, values) return util.holds(values, entry.attachments[1].vpc_id) end,
  }
  local page, token = describe(world, world:state("ec2").gateways, input, input.internet_gateway_ids,
    "internet_gateway_id", "InvalidInternetGatewayID.NotFound", known)
  return { internet_gateways = page, next_token = token }
end

-- There are none of these, so every id is an unknown one.
function operations.describe_nat_gateways(world, input)
  describe(world, {}, input, input.nat_gateway_ids, "nat_gateway_id", "NatGatewayNotFound")
  return { nat_gateways = {} }
end

function operations.describe_vpc_endpoints(world, input)
  describe(world, {}, input, input.vpc_endpoint_ids, "vpc_endpoint_id", "InvalidVpcEndpointId.NotFound")
  return { vpc_endpoints = {} }
end

function operations.describe_availability_zones(world, input)
  local zones, region = {}, world.data.region
  for _, letter in ipairs { "a", "b", "c" } do
    zones[#zones + 1] = {
      zone_name = region .. letter, region_name = region, state = "available", messages = {},
      zone_id = ("%s-az%d"):format(facts.zone_ids[region] or facts.zone_ids.other, letter:byte() - 96),
      group_name = region, network_border_group = region, opt_in_status = "opt-in-not-required",
      zone_type = "availability-zone",
    }
  end
  local page = describe(world, zones, input, input.zone_names, "zone_name", "InvalidParameterValue")
  for _, zone in ipairs(page) do
    zone.tags = nil
  end
  return { availability_zones = page }
end

-- ---- security groups -----------------------------------------------------------------------------

local function tags_of(specifications, kind)
  local out = {}
  for _, specification in ipairs(specifications or {}) do
    for _, tag in ipairs(specification.resource_type == kind and specification.tags or {}) do
      out[tag.key or ""] = tag.value or ""
    end
  end
  return out
end

function operations.create_security_group(world, input)
  local state = world:state("ec2")
  local vpc_id = input.vpc_id or ec2.default_vpc(world).vpc_id
  if not ec2.vpc(world, vpc_id) then
    fail(world, "InvalidVpcID.NotFound", vpc_id)
  end
  for _, group in ipairs(state.groups) do
    if group.vpc_id == vpc_id and group.group_name == input.group_name then
      fail(world, "InvalidGroup.Duplicate", input.group_name, vpc_id)
    end
  end
  local group = add_group(world, state, vpc_id, input.group_name, input.description)
  group.tags = tags_of(input.tag_specifications, "security-group")
  return { group_id = group.group_id, tags = show(group).tags,
    security_group_arn = world:arn("ec2", "security-group/" .. group.group_id) }
end

local function group_named(world, input)
  local list = world:state("ec2").groups
  local group = input.group_id and find(list, "group_id", input.group_id)
    or input.group_name and find(list, "group_name", input.group_name)
  return group or fail(world, "InvalidGroup.NotFound", input.group_id or input.group_name or "")
end

function operations.delete_security_group(world, input)
  local state = world:state("ec2")
  local group = group_named(world, input)
  if group.group_name == "default" then
    world:fail("CannotDelete", facts.errors.CannotDelete:format(group.group_id))
  end
  for _, interface in ipairs(state.interfaces) do
    if find(interface.groups, "group_id", group.group_id) then
      fail(world, "DependencyViolation", group.group_id)
    end
  end
  local _, index = find(state.groups, "group_id", group.group_id)
  table.remove(state.groups, index)
  return { ["return"] = true, group_id = group.group_id }
end

-- The permissions of an input, whichever of its two forms it uses.
local function permissions_of(input)
  if input.ip_permissions and #input.ip_permissions > 0 then
    return util.copy(input.ip_permissions)
  end
  return { {
    ip_protocol = input.ip_protocol or "-1", from_port = input.from_port, to_port = input.to_port,
    ip_ranges = input.cidr_ip and { { cidr_ip = input.cidr_ip } } or {}, user_id_group_pairs = {},
  } }
end

local function describe_rule(permission)
  local range = permission.ip_ranges and permission.ip_ranges[1]
  return ("peer: %s, %s, from port: %s, to port: %s, ALLOW"):format(
    range and range.cidr_ip or "sg", (permission.ip_protocol or "-1"):upper(),
    tostring(permission.from_port or -1), tostring(permission.to_port or -1))
end

local function place_of(list, permission)
  for index, present in ipairs(list) do
    if util.equal(present, permission) then
      return index
    end
  end
end

local function authorize(world, input, member)
  local list = group_named(world, input)[member]
  local new = permissions_of(input)
  for _, permission in ipairs(new) do
    permission.ip_ranges, permission.user_id_group_pairs =
      permission.ip_ranges or {}, permission.user_id_group_pairs or {}
    if place_of(list, permission) then
      fail(world, "InvalidPermission.Duplicate", describe_rule(permission))
    end
  end
  table.move(new, 1, #new, #list + 1, list)
  return { ["return"] = true }
end

local function revoke(world, input, member)
  local list = group_named(world, input)[member]
  for _, permission in ipairs(permissions_of(input)) do
    permission.ip_ranges, permission.user_id_group_pairs =
      permission.ip_ranges or {}, permission.user_id_group_pairs or {}
    local index = place_of(list, permission)
    if not index then
      fail(world, "InvalidPermission.NotFound")
    end
    table.remove(list, index)
  end
  return { ["return"] = true }
end

function operations.authorize_security_group_ingress(world, input)
  return authorize(world, input, "ip_permissions")
end

function operations.authorize_security_group_egress(world, input)
  return authorize(world, input, "ip_permissions_egress")
end

function operations.revoke_security_group_ingress(world, input)
  return revoke(world, input, "ip_permissions")
end

function operations.revoke_security_group_egress(world, input)
  return revoke(world, input, "ip_permissions_egress")
end

-- ---- network interfaces --------------------------------------------------------------------------

-- The lowest address of a subnet that nobody has.
local function free_ip(world, subnet)
  local used = {}
  for _, interface in ipairs(world:state("ec2").interfaces) do
    used[interface.private_ip_address] = true
  end
  local first, count = block(subnet.cidr_block)
  local start = world:random(4, count - 2) -- addresses look taken at random, as in a network in use
  for step = 0, count - facts.reserved - 1 do
    local ip = ip_of(first + 4 + (start - 4 + step) % (count - facts.reserved))
    if not used[ip] then
      return ip
    end
  end
  world:fail("InsufficientFreeAddressesInSubnet", facts.errors.full:format(subnet.subnet_id))
end

--- Makes a network interface: {id, ip, mac, dns, zone, subnet}.
function ec2.interface(world, subnet_id, description, group_ids)
  local subnet = ec2.subnet(world, subnet_id) or fail(world, "InvalidSubnetID.NotFound", subnet_id)
  local groups = {}
  for index, id in ipairs(group_ids or {}) do
    local group = ec2.group(world, id) or fail(world, "InvalidGroup.NotFound", id)
    groups[index] = { group_id = id, group_name = group.group_name }
  end
  local ip = free_ip(world, subnet)
  local made = {
    id = "eni-" .. world:id(17), ip = ip, zone = subnet.availability_zone, subnet = subnet_id,
    dns = ("ip-%s.%s.compute.internal"):format(ip:gsub("%.", "-"), world.data.region),
    mac = ("0a:%s:%s:%s:%s:%s"):format(world:id(2), world:id(2), world:id(2), world:id(2), world:id(2)),
  }
  local list = world:state("ec2").interfaces
  list[#list + 1] = {
    network_interface_id = made.id, private_ip_address = ip, mac_address = made.mac, private_dns_name = made.dns,
    availability_zone = made.zone, subnet_id = subnet_id, vpc_id = subnet.vpc_id, description = description or "",
    groups = groups, interface_type = "interface", owner_id = world.data.account, requester_managed = true,
    status = "in-use", source_dest_check = true, tags = {},
    private_ip_addresses = { { primary = true, private_ip_address = ip, private_dns_name = made.dns } },
  }
  subnet.available_ip_address_count = subnet.available_ip_address_count - 1
  return made
end

--- A network interface is gone.
function ec2.release(world, interface_id)
  local list = world:state("ec2").interfaces
  local entry, index = find(list, "network_interface_id", interface_id)
  if entry then
    table.remove(list, index)
    local subnet = ec2.subnet(world, entry.subnet_id)
    subnet.available_ip_address_count = subnet.available_ip_address_count + 1
  end
end

return ec2
