--- Whether tasks on Fargate can reach what they need to start: ECR, logs, secrets, by a route out or by VPC
-- endpoints. (On container instances the instance asks, not the task.)
-- Uses: ec2.describe_route_tables, and where a subnet has no way out ec2.describe_vpc_endpoints.

local images = require "moonbook.images"
local logs = require "moonbook.preflight.logs"
local network = require "moonbook.preflight.network"
local secrets = require "moonbook.preflight.secrets"

local subject = {}

-- ---- the way out of a subnet ---------------------------------------------------------------------

-- The route table of a subnet: its own, or else the VPC's main one.
local function table_of(tables, subnet_id)
  local main
  for _, entry in ipairs(tables) do
    for _, association in ipairs(entry.associations or {}) do
      if association.subnet_id == subnet_id then
        return entry
      end
      main = association.main and entry or main
    end
  end
  return main
end

local function route_to(route_table, destination)
  for _, route in ipairs(route_table and route_table.routes or {}) do
    if route.destination_cidr_block == destination or route.destination_ipv6_cidr_block == destination then
      return route
    end
  end
end

-- Why tasks in a subnet cannot get out, or nil when they can.
local function obstacle(tables, subnet_id, public)
  local route = route_to(table_of(tables, subnet_id), "0.0.0.0/0")
  if not route then
    return "no default route"
  elseif route.state == "blackhole" then
    return "a default route to something that is gone"
  elseif (route.gateway_id or ""):find("^igw%-") and not public then
    return "a default route to an internet gateway, of no use without a public address (assign_public_ip is DISABLED)"
  end
end

-- Whether a subnet has a default route for IPv6 alone: what its tasks reach depends on the addresses they have.
local function only_ipv6(pass, tables)
  for _, id in ipairs(pass:network().subnets) do
    local route_table = table_of(tables, id)
    if route_to(route_table, "::/0") and not route_to(route_table, "0.0.0.0/0") then
      return true
    end
  end
  return false
end

-- Why subnets have no way out, a list of texts: each reason once, with the subnets that it holds for.
local function obstacles(pass, tables)
  local reasons, subnets = {}, {}
  local public = pass:network().assign_public_ip == "ENABLED"
  for _, id in ipairs(pass:network().subnets) do
    local why = (pass:get("subnets") or {})[id] and obstacle(tables, id, public)
    if why then
      reasons[#reasons + 1] = subnets[why] == nil and why or nil
      subnets[why] = subnets[why] and subnets[why] .. ", " .. id or id
    end
  end
  for index, why in ipairs(reasons) do
    reasons[index] = ("%s: %s"):format(subnets[why], why)
  end
  return reasons
end

-- ---- reading -------------------------------------------------------------------------------------

function subject.read_more(pass)
  local vpc = network.vpc(pass)
  if not vpc or not pass:on_fargate() then
    return
  end
  local filters = { { name = "vpc-id", values = { vpc } } }
  pass:read("route_tables", "ec2:DescribeRouteTables", function()
    return all(ec2.describe_route_tables, { filters = filters }).route_tables or {}
  end)
  local tables = pass:get("route_tables")
  if tables and #obstacles(pass, tables) > 0 then
    pass:read("endpoints", "ec2:DescribeVpcEndpoints", function()
      local found = {}
      for _, endpoint in ipairs(all(ec2.describe_vpc_endpoints, { filters = filters }).vpc_endpoints or {}) do
        local service = endpoint.service_name:match("^com%.amazonaws%.[^.]+%.(.+)$")
        if service and (endpoint.state or ""):lower() == "available" then
          found[service] = true
        end
      end
      return found
    end)
  end
end

-- ---- judging -------------------------------------------------------------------------------------

-- The endpoints that starting a task takes, and whether that is all: images of other registries need the internet.
local function needed(pass)
  local names, internet = {}, false
  for _, container in ipairs(pass.definition.container_definitions) do
    if images.parse(container.image).account then
      table.move({ "ecr.api", "ecr.dkr", "s3" }, 1, 3, #names + 1, names)
    else
      internet = true
    end
  end
  if #logs.drivers(pass) > 0 then
    names[#names + 1] = "logs"
  end
  for _, item in ipairs(secrets.named(pass)) do
    names[#names + 1] = item.kind == "secret" and "secretsmanager" or "ssm"
  end
  return pass.unique(names), internet
end

local function judge_endpoints(pass, found, blocked)
  local names, internet = needed(pass)
  local missing = {}
  for _, name in ipairs(names) do
    missing[#missing + 1] = not found[name] and name or nil
  end
  local remedy
  if internet then
    remedy = "and an image comes from the internet: add a route to a NAT gateway"
  elseif #missing > 0 then
    local text = "and there are no VPC endpoints for %s: add them, or a route to a NAT gateway"
    remedy = text:format(table.concat(missing, ", "))
  end
  pass:require(
    "tasks reach what they start with",
    remedy == nil,
    remedy and ("%s, %s"):format(table.concat(blocked, "; "), remedy)
      or "by VPC endpoints for " .. table.concat(names, ", ")
  )
end

function subject.judge(pass)
  local tables, why = pass:get("route_tables")
  if not tables then
    if why then
      pass:unread("tasks reach what they start with", why)
    end
    return
  end
  local blocked = obstacles(pass, tables)
  if #blocked == 0 then
    pass:require("tasks reach what they start with", true, "by the default routes of their subnets")
    return
  end
  if only_ipv6(pass, tables) then
    pass:unread("tasks reach what they start with", "there is a default route for IPv6 alone")
    return
  end
  local found, no_endpoints = pass:get("endpoints")
  if not found then
    pass:unread("tasks reach what they start with", no_endpoints)
    return
  end
  judge_endpoints(pass, found, blocked)
end

return subject
