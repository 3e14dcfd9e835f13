--- The tasks' network: whether subnets and security groups are there, in one VPC, with addresses to spare.
-- Uses: ec2.describe_subnets, ec2.describe_security_groups.

local subject = {}

-- Filters, not ids: an unknown id in a list of ids fails the whole call.
local function by_id(list, member)
  local found = {}
  for _, entry in ipairs(list or {}) do
    found[entry[member]] = entry
  end
  return found
end

function subject.read(pass)
  local network = pass:network()
  if not network then
    return
  end
  together {
    function()
      pass:read("subnets", "ec2:DescribeSubnets", function()
        local filters = { { name = "subnet-id", values = network.subnets } }
        return by_id(all(ec2.describe_subnets, { filters = filters }).subnets, "subnet_id")
      end)
    end,
    function()
      local ids = network.security_groups or {}
      if #ids > 0 then
        pass:read("security_groups", "ec2:DescribeSecurityGroups", function()
          local filters = { { name = "group-id", values = ids } }
          return by_id(all(ec2.describe_security_groups, { filters = filters }).security_groups, "group_id")
        end)
      end
    end,
  }
end

--- The VPC of the tasks: that of the first subnet which is there. nil when it is not known.
function subject.vpc(pass)
  local subnets = pass:get("subnets") or {}
  for _, id in ipairs((pass:network() or {}).subnets or {}) do
    if subnets[id] then
      return subnets[id].vpc_id
    end
  end
end

-- ---- judging -------------------------------------------------------------------------------------

local function judge_subnets(pass, subnets)
  local problems, zones = {}, {}
  local missing = "there is no subnet %s: take it out of the service's network_configuration"
  for _, id in ipairs(pass:network().subnets) do
    local subnet = subnets[id]
    if not subnet then
      problems[#problems + 1] = missing:format(id)
    elseif subnet.state and subnet.state ~= "available" then
      problems[#problems + 1] = ("subnet %s is %s"):format(id, subnet.state)
    else
      zones[#zones + 1] = subnet.availability_zone
    end
  end
  pass:require_none("subnets exist", problems, ("%d, in %s"):format(#zones, table.concat(pass.unique(zones), ", ")))
end

local function judge_addresses(pass, subnets)
  local free, empty, extra = 0, {}, pass:extra_tasks()
  for _, id in ipairs(pass:network().subnets) do
    local count = subnets[id] and subnets[id].available_ip_address_count or 0
    free = free + count
    if subnets[id] and count == 0 then
      empty[#empty + 1] = id
    end
  end
  local told = ("%d free, %d needed beside those of the present tasks"):format(free, extra)
  pass:require(
    "subnets have free addresses",
    free > 0 or extra == 0,
    free > 0 and told or told .. ": no task can start; add a subnet or free addresses"
  )
  if free > 0 and (free < extra or #empty > 0) then
    pass:advise(
      "room in each subnet",
      false,
      free < extra and told .. ": some tasks cannot start at once"
        or ("no address is free in %s: tasks that are placed there fail"):format(table.concat(empty, ", "))
    )
  end
end

local function judge_groups(pass, groups)
  local problems, fine = {}, {}
  local missing = "there is no security group %s: take it out of the service's network_configuration"
  for _, id in ipairs(pass:network().security_groups or {}) do
    if groups[id] then
      fine[#fine + 1] = groups[id].group_name
    else
      problems[#problems + 1] = missing:format(id)
    end
  end
  pass:require_none("security groups exist", problems, table.concat(fine, ", "))
end

local function judge_vpc(pass, subnets, groups)
  local vpc, strangers = subject.vpc(pass), {}
  for _, id in ipairs(pass:network().subnets) do
    if subnets[id] and subnets[id].vpc_id ~= vpc then
      strangers[#strangers + 1] = ("subnet %s is in %s"):format(id, subnets[id].vpc_id)
    end
  end
  for _, id in ipairs(pass:network().security_groups or {}) do
    if groups[id] and groups[id].vpc_id ~= vpc then
      strangers[#strangers + 1] = ("security group %s is in %s"):format(id, groups[id].vpc_id)
    end
  end
  if vpc then
    pass:require(
      "the network is one VPC",
      #strangers == 0,
      #strangers == 0 and vpc or ("%s, the tasks' VPC is %s"):format(table.concat(strangers, "; "), vpc)
    )
  end
end

function subject.judge(pass)
  local network = pass:network()
  if not network then
    return
  end
  local subnets, no_subnets = pass:get("subnets")
  local groups, no_groups = pass:get("security_groups")
  if subnets then
    judge_subnets(pass, subnets)
    judge_addresses(pass, subnets)
  else
    pass:unread("subnets exist", no_subnets)
    pass:unread("subnets have free addresses", no_subnets)
  end
  if groups then
    judge_groups(pass, groups)
  elseif no_groups then
    pass:unread("security groups exist", no_groups)
  end
  judge_vpc(pass, subnets or {}, groups or {})
end

return subject
