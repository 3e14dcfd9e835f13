--- The load balancer: its target groups, the ports behind them, and whether it gets through to the tasks.
-- Uses: elbv2.describe_target_groups, elbv2.describe_load_balancers.

local network = require "moonbook.preflight.network"

local subject = {}

-- What the service is attached to: { group = ARN, alternate, container, port }.
local function attachments(pass)
  local list = {}
  for _, balancer in ipairs(pass.service.load_balancers or {}) do
    if balancer.target_group_arn then
      list[#list + 1] = {
        group = balancer.target_group_arn,
        alternate = (balancer.advanced_configuration or {}).alternate_target_group_arn,
        container = balancer.container_name,
        port = balancer.container_port,
      }
    end
  end
  return list
end

local function group_arns(pass)
  local arns = {}
  for _, attachment in ipairs(attachments(pass)) do
    arns[#arns + 1] = attachment.group
    arns[#arns + 1] = attachment.alternate
  end
  return pass.unique(arns)
end

local function group_name(arn)
  return arn:match("targetgroup/([^/]+)") or arn
end

-- ---- reading -------------------------------------------------------------------------------------

-- One by one: an unknown group in a list fails the whole call.
local function read_group(arn)
  local answer, err = attempt(elbv2.describe_target_groups, { target_group_arns = { arn } })
  if not answer and err.code ~= "TargetGroupNotFound" and err.code ~= "TargetGroupNotFoundException" then
    error(err, 0)
  end
  return answer and answer.target_groups[1] or { missing = true }
end

function subject.read(pass)
  local arns = group_arns(pass)
  if #arns == 0 then
    return
  end
  pass:read("target_groups", "elasticloadbalancing:DescribeTargetGroups", function()
    local found = {}
    for index, group in ipairs(each(arns, read_group)) do
      found[arns[index]] = group
    end
    return found
  end)
end

function subject.read_more(pass)
  local arns = {}
  for _, arn in ipairs(group_arns(pass)) do
    local group = (pass:get("target_groups") or {})[arn] or {}
    table.move(group.load_balancer_arns or {}, 1, #(group.load_balancer_arns or {}), #arns + 1, arns)
  end
  if #arns > 0 then
    pass:read("load_balancers", "elasticloadbalancing:DescribeLoadBalancers", function()
      return elbv2.describe_load_balancers({ load_balancer_arns = pass.unique(arns) }).load_balancers
    end)
  end
end

-- ---- judging: groups -----------------------------------------------------------------------------

local function is_attached(group)
  return #(group.load_balancer_arns or {}) > 0
end

-- Whether a group is one of two between which deployments move the tasks, and the other one is attached.
local function is_spare(pass, group)
  local groups = pass:get("target_groups")
  for _, attachment in ipairs(attachments(pass)) do
    local first, second = groups[attachment.group], groups[attachment.alternate or ""]
    if second and (first == group and is_attached(second) or second == group and is_attached(first)) then
      return true
    end
  end
  return false
end

-- What a target group must be like for these tasks; each gives a problem or nil.
local group_rules = {
  {
    name = "target groups take addresses",
    problem = function(pass, group)
      local awsvpc = pass.definition.network_mode == "awsvpc"
      if awsvpc and group.target_type ~= "ip" then
        return ("has targets of type %s, tasks in awsvpc need ip: make another group"):format(group.target_type)
      end
    end,
  },
  {
    name = "target groups are attached",
    problem = function(pass, group)
      if not is_attached(group) and not is_spare(pass, group) then
        return "belongs to no load balancer (its targets stay UNUSED): forward to it from a listener"
      end
    end,
  },
  {
    name = "target groups are in the tasks' VPC",
    problem = function(pass, group)
      local vpc = network.vpc(pass)
      if vpc and group.vpc_id and group.vpc_id ~= vpc then
        return ("is in %s, the tasks are in %s"):format(group.vpc_id, vpc)
      end
    end,
  },
}

local function judge_groups(pass, groups)
  local missing, names = {}, {}
  for _, arn in ipairs(group_arns(pass)) do
    names[#names + 1] = group_name(arn)
    if groups[arn].missing then
      missing[#missing + 1] = ("there is no target group %s: take it out of the service's load_balancers"):format(
        group_name(arn)
      )
    end
  end
  local all_names = table.concat(names, ", ")
  pass:require_none("target groups exist", missing, all_names)
  for _, rule in ipairs(group_rules) do
    local problems, judged = {}, false
    for _, arn in ipairs(group_arns(pass)) do
      local why = not groups[arn].missing and rule.problem(pass, groups[arn])
      judged = judged or not groups[arn].missing
      problems[#problems + 1] = why and ("target group %s %s"):format(group_name(arn), why) or nil
    end
    if judged then
      pass:require_none(rule.name, problems, nil)
    end
  end
end

-- ---- judging: ports ------------------------------------------------------------------------------

local function container_named(pass, name)
  for _, container in ipairs(pass.definition.container_definitions) do
    if container.name == name then
      return container
    end
  end
end

local function maps(container, port)
  for _, mapping in ipairs(container.port_mappings or {}) do
    local first, last = (mapping.container_port_range or ""):match("^(%d+)%-(%d+)$")
    if mapping.container_port == port or first and port >= tonumber(first) and port <= tonumber(last) then
      return true
    end
  end
  return false
end

local function port_problem(pass, attachment)
  local container = container_named(pass, attachment.container)
  if not container then
    return ("the load balancer sends to container %s, which the task definition does not have"):format(
      attachment.container
    )
  elseif not maps(container, attachment.port) then
    return ("the load balancer sends to port %d of container %s, which maps no such port"):format(
      attachment.port,
      attachment.container
    )
  end
end

local function judge_ports(pass)
  local problems, fine = {}, {}
  for _, attachment in ipairs(attachments(pass)) do
    problems[#problems + 1] = port_problem(pass, attachment)
    fine[#fine + 1] = ("%s:%d"):format(attachment.container, attachment.port)
  end
  pass:require_none(
    "the load balancer's ports are mapped",
    problems,
    table.concat(fine, ", ")
  )
end

-- A health check of a fixed port that no container maps may still be meant so.
local function judge_checks(pass, groups)
  local problems, told = {}, {}
  for _, attachment in ipairs(attachments(pass)) do
    local group = groups[attachment.group]
    local container = container_named(pass, attachment.container)
    local port = tonumber(group.health_check_port)
    if port and port ~= attachment.port and container and not maps(container, port) then
      problems[#problems + 1] = ("%s is checked at port %d, which container %s does not map"):format(
        group_name(attachment.group),
        port,
        attachment.container
      )
    end
    if not group.missing then
      told[#told + 1] = ("%s %s must answer %s, every %d s"):format(
        group.health_check_protocol or "?",
        group.health_check_path or "connection",
        (group.matcher or {}).http_code or (group.matcher or {}).grpc_code or "at all",
        group.health_check_interval_seconds or 0
      )
    end
  end
  pass:advise_none("target health checks", problems, table.concat(told, "; "))
end

local function judge_grace(pass)
  local seconds = pass.service.health_check_grace_period_seconds or 0
  pass:advise(
    "grace period",
    seconds > 0,
    seconds > 0 and ("%d s"):format(seconds)
      or "0 s: a task that is slow to start is stopped as unhealthy; set health_check_grace_period_seconds"
  )
end

-- ---- judging: from the load balancer to the tasks ------------------------------------------------

local function covers_port(permission, port)
  local protocol = permission.ip_protocol
  if protocol == "-1" then
    return true
  end
  local first, last = permission.from_port or 0, permission.to_port or 65535
  return (protocol == "tcp" or protocol == "6") and port >= first and port <= last
end

local function from_group(permission, ids)
  for _, pair in ipairs(permission.user_id_group_pairs or {}) do
    for _, id in ipairs(ids) do
      if pair.group_id == id then
        return true
      end
    end
  end
  return false
end

local function from_anywhere(permission)
  for _, range in ipairs(permission.ip_ranges or {}) do
    if range.cidr_ip == "0.0.0.0/0" then
      return true
    end
  end
  return false
end

-- Whether the tasks' groups let these groups in at a port: "yes", "no", or "unclear" where the port is open to
-- addresses or lists only, which may hold the load balancer's.
local function lets_in(groups, port, ids)
  local opened = "no"
  for _, group in pairs(groups) do
    for _, permission in ipairs(group.ip_permissions or {}) do
      if covers_port(permission, port) then
        if from_group(permission, ids) or from_anywhere(permission) then
          return "yes"
        end
        local others = #(permission.ip_ranges or {}) + #(permission.ipv6_ranges or {})
          + #(permission.prefix_list_ids or {})
        opened = (others > 0 or #ids == 0) and "unclear" or opened
      end
    end
  end
  return opened
end

local function judge_way(pass)
  local name = "the load balancer reaches the tasks"
  local groups, no_groups = pass:get("security_groups")
  local balancers, no_balancers = pass:get("load_balancers")
  if no_groups or no_balancers then
    pass:unread(name, no_groups or no_balancers)
    return
  elseif not groups or not balancers then
    return -- there are no security groups to ask, or no load balancer
  end
  local ids = {}
  for _, balancer in ipairs(balancers) do
    table.move(balancer.security_groups or {}, 1, #(balancer.security_groups or {}), #ids + 1, ids)
  end
  local closed, unclear = {}, {}
  for _, attachment in ipairs(attachments(pass)) do
    local answer = lets_in(groups, attachment.port, ids)
    local port = ("%d"):format(attachment.port)
    closed[#closed + 1] = answer == "no" and port or nil
    unclear[#unclear + 1] = answer == "unclear" and port or nil
  end
  if #closed > 0 then
    local from = #ids > 0 and table.concat(ids, ", ") or "the load balancer"
    local text = "no security group of the tasks lets %s in at port %s: allow it there"
    pass:require(name, false, text:format(from, table.concat(closed, ", ")))
  elseif #unclear > 0 then
    local text = "port %s is open to certain addresses; whether the load balancer's are among them was not looked at"
    pass:unread(name, text:format(table.concat(unclear, ", ")), "warn")
  else
    pass:require(name, true, "by the tasks' security groups")
  end
end

local function judge_balancers(pass)
  local balancers, why = pass:get("load_balancers")
  if not balancers then
    if why then
      pass:unread("the load balancer is active", why)
    end
    return
  end
  local problems, names = {}, {}
  for index, balancer in ipairs(balancers) do
    local state = (balancer.state or {}).code or "unknown"
    names[index] = balancer.load_balancer_name
    -- One that is active_impaired serves.
    if state ~= "active" and state ~= "active_impaired" then
      problems[#problems + 1] = ("load balancer %s is %s"):format(balancer.load_balancer_name, state)
    end
  end
  pass:require_none("the load balancer is active", problems, table.concat(names, ", "))
end

function subject.judge(pass)
  if #(pass.service.load_balancers or {}) == 0 then
    return
  elseif #attachments(pass) == 0 then
    pass:unread("target groups exist", "its load balancer is a classic one, which was not looked at", "warn")
    return
  end
  judge_ports(pass)
  local groups, why = pass:get("target_groups")
  if groups then
    judge_groups(pass, groups)
    judge_checks(pass, groups)
  else
    pass:unread("target groups exist", why)
  end
  judge_balancers(pass)
  judge_way(pass)
  judge_grace(pass)
end

return subject
