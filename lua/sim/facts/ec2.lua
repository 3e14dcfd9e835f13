--- The network that an account has from its first day in a world, and EC2's texts.

return {
  vpc_block = "10.0.0.0/16",
  subnet_blocks = { "10.0.0.0/20", "10.0.16.0/20", "10.0.32.0/20" }, -- one per zone a, b, c
  reserved = 5, -- addresses of a subnet that nobody gets: the first four and the last; D

  zone_ids = { ["eu-west-1"] = "euw1", ["us-east-1"] = "use1", other = "sim1" }, -- D

  errors = { -- codes and texts K
    ["InvalidVpcID.NotFound"] = "The vpc ID '%s' does not exist",
    ["InvalidSubnetID.NotFound"] = "The subnet ID '%s' does not exist",
    ["InvalidGroup.NotFound"] = "The security group '%s' does not exist",
    ["InvalidGroup.Duplicate"] = "The security group '%s' already exists for VPC '%s'",
    ["InvalidNetworkInterfaceID.NotFound"] = "The networkInterface ID '%s' does not exist",
    ["InvalidRouteTableID.NotFound"] = "The routeTable ID '%s' does not exist",
    ["InvalidInternetGatewayID.NotFound"] = "The internetGateway ID '%s' does not exist",
    ["InvalidVpcEndpointId.NotFound"] = "The Vpc Endpoint Id '%s' does not exist",
    NatGatewayNotFound = "NAT gateway %s was not found",
    InvalidParameterValue = "Invalid availability zone: [%s]",
    ["InvalidPermission.Duplicate"] = "the specified rule \"%s\" already exists",
    ["InvalidPermission.NotFound"] = "The specified rule does not exist in this security group.",
    DependencyViolation = "resource %s has a dependent object",
    CannotDelete = "the specified group: \"%s\" name: \"default\" cannot be deleted by a user",
    full = "There are not enough free addresses in subnet '%s' to satisfy the requested number of instances.",
    filter = "The filter '%s' is invalid",
  },
}
