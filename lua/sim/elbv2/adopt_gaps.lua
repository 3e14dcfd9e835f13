--- Load balancing that a recorded service has and that could not be read: made up as far as its tasks need it.

local facts = require "sim.facts.elbv2"
local store = require "sim.elbv2.store"
local util = require "sim.util"

local adopt_gaps = {}

--- A target group of this ARN with the defaults of a new one. `options`: port, vpc_id.
function adopt_gaps.group(world, arn, options)
  local groups = world:state("elbv2").groups
  if store.find(groups, "arn", arn) then
    return
  end
  local description = util.copy(facts.group)
  description.matcher, description.target_type = { http_code = facts.matcher }, "ip"
  description.target_group_arn, description.target_group_name = arn, arn:match(":targetgroup/([^/]+)/")
  description.port, description.protocol = options.port or 80, "HTTP"
  description.vpc_id = options.vpc_id or require("sim.ec2").default_vpc(world).vpc_id
  groups[#groups + 1] = {
    arn = arn, name = description.target_group_name, description = description, targets = {},
    attributes = util.copy(facts.group_attributes), tags = {},
  }
end

--- The targets of a group whose health could not be read: `list` as DescribeTargetHealth gives it.
function adopt_gaps.targets(world, arn, list)
  local entry = store.find(world:state("elbv2").groups, "arn", arn)
  for _, shown in ipairs(entry and list or {}) do
    local port = shown.target.port or entry.description.port
    local key = ("%s:%d"):format(shown.target.id, port)
    entry.targets[key] = entry.targets[key] or {
      key = key, id = shown.target.id, port = port, zone = require("sim.ec2").zone_of(world, shown.target.id),
      state = shown.target_health.state, passes = 0, fails = 0, registered_at = world:now(), checked_at = world:now(),
    }
  end
end

local function new_balancer(world)
  local vpc, subnets = require("sim.ec2").default_vpc(world)
  local arn = world:arn("elasticloadbalancing", "loadbalancer/app/not-recorded/" .. world:id(16))
  local zones = {}
  for index, subnet in ipairs(subnets) do
    zones[index] = { zone_name = subnet.availability_zone, subnet_id = subnet.subnet_id, load_balancer_addresses = {} }
  end
  return {
    arn = arn, name = "not-recorded", attributes = util.copy(facts.balancer_attributes), tags = {}, seen = {},
    description = {
      load_balancer_arn = arn, load_balancer_name = "not-recorded", type = "application", scheme = "internal",
      vpc_id = vpc.vpc_id, dns_name = ("internal-not-recorded-%s.%s.elb.amazonaws.com"):format(
        world:random(100000000, 1999999999), world.data.region),
      canonical_hosted_zone_id = facts.zones.other, created_time = world:now(), state = { code = "active" },
      availability_zones = zones, security_groups = {}, ip_address_type = "ipv4",
    },
  }
end

--- A load balancer in front of a group that has none, when nobody could say which it is: without one its targets
-- would not be checked. A group that is not there is left alone.
function adopt_gaps.in_use(world, arn)
  local state = world:state("elbv2")
  if not store.find(state.groups, "arn", arn) or #store.balancers_of(world, arn) > 0 then
    return
  end
  local balancer = store.find(state.balancers, "name", "not-recorded")
  if not balancer then
    balancer = new_balancer(world)
    state.balancers[#state.balancers + 1] = balancer
  end
  local port = 80
  for _, listener in ipairs(state.listeners) do
    port = listener.balancer == balancer.arn and math.max(port, listener.description.port + 1) or port
  end
  require("sim.elbv2.listeners").operations.create_listener(world, {
    load_balancer_arn = balancer.arn, protocol = "HTTP", port = port,
    default_actions = { { type = "forward", target_group_arn = arn } },
  })
end

return adopt_gaps
