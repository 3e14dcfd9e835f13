--- The network of a world.

local t = dofile "tests/sim/harness.lua"
local ec2 = require "sim.ec2"

local function refused(world, operation, input)
  return function() return world:call("ec2", operation, input, t.caller) end
end

t.test("a new account has a VPC with a subnet in each of three zones", function()
  local world = t.world()
  local vpc = t.call(world, "ec2", "describe_vpcs").vpcs[1]
  local subnets = t.call(world, "ec2", "describe_subnets",
    { filters = { { name = "vpc-id", values = { vpc.vpc_id } } } }).subnets
  local zones = {}
  for index, subnet in ipairs(subnets) do
    zones[index] = subnet.availability_zone
  end
  t.equal(zones, { "eu-west-1a", "eu-west-1b", "eu-west-1c" })
  t.equal(subnets[1].available_ip_address_count, 4091)
  t.equal(#t.call(world, "ec2", "describe_availability_zones").availability_zones, 3)
  t.equal(#t.call(world, "ec2", "describe_route_tables").route_tables, 1)
  t.equal(#t.call(world, "ec2", "describe_internet_gateways").internet_gateways, 1)
end)

t.test("filters take names, tags and patterns", function()
  local world = t.world()
  local function count(name, values)
    return #t.call(world, "ec2", "describe_subnets", { filters = { { name = name, values = values } } }).subnets
  end
  t.equal({ count("availability-zone", { "eu-west-1b" }), count("cidr-block", { "10.0.*" }), count("tag:Name", { "x" }),
    count("default-for-az", { "true" }) }, { 1, 3, 0, 3 })
end)

t.test("unknown ids have EC2's codes", function()
  local world = t.world()
  t.equal(t.raises("InvalidVpcID.NotFound", refused(world, "describe_vpcs", { vpc_ids = { "vpc-1" } })).message,
    "The vpc ID 'vpc-1' does not exist")
  t.raises("InvalidSubnetID.NotFound", refused(world, "describe_subnets", { subnet_ids = { "subnet-1" } }))
  t.raises("InvalidGroup.NotFound", refused(world, "describe_security_groups", { group_ids = { "sg-1" } }))
  t.raises("InvalidInternetGatewayID.NotFound", refused(world, "describe_internet_gateways",
    { internet_gateway_ids = { "igw-1" } }))
  t.raises("NatGatewayNotFound", refused(world, "describe_nat_gateways", { nat_gateway_ids = { "nat-1" } }))
  t.raises("InvalidVpcEndpointId.NotFound", refused(world, "describe_vpc_endpoints", { vpc_endpoint_ids = { "vpce-1" } }))
  t.raises("InvalidParameterValue", refused(world, "describe_availability_zones", { zone_names = { "nowhere-1a" } }))
end)

t.test("security groups are made, opened, closed and deleted", function()
  local world = t.world()
  local id = t.call(world, "ec2", "create_security_group", { group_name = "web", description = "web" }).group_id
  t.raises("InvalidGroup.Duplicate", refused(world, "create_security_group", { group_name = "web",
    description = "web" }))
  local rule = { group_id = id, ip_permissions = { { ip_protocol = "tcp", from_port = 80, to_port = 80,
    ip_ranges = { { cidr_ip = "0.0.0.0/0" } } } } }
  t.call(world, "ec2", "authorize_security_group_ingress", rule)
  t.raises("InvalidPermission.Duplicate", refused(world, "authorize_security_group_ingress", rule))
  local group = t.call(world, "ec2", "describe_security_groups", { group_ids = { id } }).security_groups[1]
  t.equal(group.ip_permissions[1].from_port, 80)
  t.call(world, "ec2", "revoke_security_group_ingress", rule)
  t.raises("InvalidPermission.NotFound", refused(world, "revoke_security_group_ingress", rule))
  t.call(world, "ec2", "delete_security_group", { group_id = id })
  t.raises("InvalidGroup.NotFound", refused(world, "delete_security_group", { group_id = id }))
end)

t.test("interfaces have addresses of their subnet that nobody else has", function()
  local world = t.world()
  local subnet = t.call(world, "ec2", "describe_subnets").subnets[2]
  local seen = {}
  for _ = 1, 200 do
    local made = ec2.interface(world, subnet.subnet_id, "a task", {})
    t.truthy(ec2.block_holds(subnet.cidr_block, made.ip), "address in the subnet")
    t.truthy(not seen[made.ip], "address is new")
    seen[made.ip] = true
    t.equal(made.zone, "eu-west-1b")
    t.equal(ec2.zone_of(world, made.ip), "eu-west-1b")
    t.equal(made.dns, "ip-" .. made.ip:gsub("%.", "-") .. ".eu-west-1.compute.internal")
  end
  local list = t.call(world, "ec2", "describe_network_interfaces",
    { filters = { { name = "subnet-id", values = { subnet.subnet_id } } } }).network_interfaces
  t.equal(#list, 200)
  for _, interface in ipairs(list) do
    ec2.release(world, interface.network_interface_id)
  end
  t.equal(t.call(world, "ec2", "describe_subnets").subnets[2].available_ip_address_count, 4091)
end)

t.test("a group of an interface stays", function()
  local world = t.world()
  local subnet = t.call(world, "ec2", "describe_subnets").subnets[1].subnet_id
  local id = t.call(world, "ec2", "create_security_group", { group_name = "web", description = "web" }).group_id
  local made = ec2.interface(world, subnet, "", { id })
  t.raises("DependencyViolation", refused(world, "delete_security_group", { group_id = id }))
  ec2.release(world, made.id)
  t.call(world, "ec2", "delete_security_group", { group_id = id })
  t.raises("InvalidSubnetID.NotFound", function() ec2.interface(world, "subnet-no", "", {}) end)
end)

t.test("addresses and blocks", function()
  t.equal({ ec2.is_ip("10.0.0.1"), ec2.is_ip("10.0.0.256"), ec2.is_ip("i-1234"), ec2.is_ip("10.0.0") },
    { true, false, false, false })
  t.equal({ ec2.block_holds("10.0.16.0/20", "10.0.31.255"), ec2.block_holds("10.0.16.0/20", "10.0.32.0"),
    ec2.block_holds("0.0.0.0/0", "1.2.3.4"), ec2.block_holds("x", "1.2.3.4") }, { true, false, true, false })
end)

t.finish()
