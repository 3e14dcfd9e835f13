--- What passes through a load balancer: requests that somebody makes, and the ones that a minute of an
-- ordinary day has, as far as metrics tell of them.

local app = require "sim.app"
local facts = require "sim.facts.elbv2"
local faults = require "sim.faults"
local listeners = require "sim.elbv2.listeners"
local store = require "sim.elbv2.store"
local util = require "sim.util"

local traffic = {}

-- ---- which rule ----------------------------------------------------------------------------------

local function glob(pattern, text)
  local expression = pattern:gsub("[^%w*?]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".")
  return text:match("^" .. expression .. "$") ~= nil
end

local function any(values, text)
  for _, value in ipairs(values or {}) do
    if text and glob(value, text) then
      return true
    end
  end
  return false
end

local function query_holds(values, query)
  for _, pair in ipairs(values or {}) do
    local wanted = pair.key and pair.key .. "=" .. pair.value or pair.value
    for part in ((query or "") .. "&"):gmatch("([^&]*)&") do
      if glob(wanted, pair.key and part or part:match("[^=]*$")) then
        return true
      end
    end
  end
  return false
end

local conditions = {
  ["host-header"] = function(config, request) return any(config.values, request.host) end,
  ["path-pattern"] = function(config, request) return any(config.values, request.path) end,
  ["http-request-method"] = function(config, request) return any(config.values, request.method) end,
  ["http-header"] = function(config, request)
    return any(config.values, request.headers[(config.http_header_name or ""):lower()])
  end,
  ["query-string"] = function(config, request) return query_holds(config.values, request.query) end,
  ["source-ip"] = function(config)
    for _, block in ipairs(config.values or {}) do
      if require("sim.ec2").block_holds(block, "127.0.0.1") then
        return true
      end
    end
    return false
  end,
}

local members = {
  ["host-header"] = "host_header_config", ["path-pattern"] = "path_pattern_config",
  ["http-header"] = "http_header_config", ["query-string"] = "query_string_config",
  ["http-request-method"] = "http_request_method_config", ["source-ip"] = "source_ip_config",
}

local function applies(rule, request)
  for _, condition in ipairs(rule.description.conditions) do
    if not conditions[condition.field](condition[members[condition.field]], request) then
      return false
    end
  end
  return true
end

-- ---- which target --------------------------------------------------------------------------------

local function group_of(world, action)
  local groups = action.forward_config.target_groups
  if #groups == 1 then
    return store.find(world:state("elbv2").groups, "arn", groups[1].target_group_arn)
  end
  local sum = 0
  for _, group in ipairs(groups) do
    sum = sum + (group.weight or 1)
  end
  local at = world:random() * sum
  for _, group in ipairs(groups) do
    at = at - (group.weight or 1)
    if at < 0 then
      return store.find(world:state("elbv2").groups, "arn", group.target_group_arn)
    end
  end
end

--- The targets of a group that get requests: the healthy ones, or when there is none all of them.
local function receivers(group)
  local healthy, all = {}, {}
  for _, target in util.sorted_pairs(group.targets) do
    if target.state == "healthy" then
      healthy[#healthy + 1] = target
    elseif target.state ~= "draining" then
      all[#all + 1] = target
    end
  end
  return #healthy > 0 and healthy or all
end

-- ---- one request ---------------------------------------------------------------------------------

local function page(status)
  local title = facts.pages[status]
  return {
    status = status, body = facts.pages.html:format(title, title),
    headers = { ["content-type"] = "text/html", server = "awselb/2.0" },
  }
end

local function note(counts, name, value)
  counts[name] = (counts[name] or 0) + value
end

local function count_of(entry)
  entry.seen = entry.seen or {}
  return entry.seen
end

local function forward(world, balancer, action, request)
  local group = group_of(world, action)
  local list = group and receivers(group) or {}
  local counts = count_of(balancer)
  if #list == 0 then
    note(counts, "elb_503", 1)
    return page(503)
  end
  local state = world:state("elbv2")
  state.turn = state.turn + 1
  local target = list[state.turn % #list + 1]
  local answer = app.probe(world, target.id, target.port, request.path)
  if not answer then
    note(counts, "elb_502", 1)
    return page(502)
  elseif answer.seconds > facts.durations.idle_timeout then
    note(counts, "elb_504", 1)
    local late = page(504)
    late.seconds = facts.durations.idle_timeout
    return late
  end
  local own = count_of(group)
  note(own, "requests", 1)
  note(own, "seconds", answer.seconds)
  note(own, ("%dXX"):format(answer.status // 100), 1)
  return {
    status = answer.status, seconds = answer.seconds, body = app.body(request.path, answer.status),
    headers = { ["content-type"] = "application/json" },
  }
end

local function redirect(_, _, action, request)
  local config = action.redirect_config
  local values = {
    host = request.host, path = (request.path:gsub("^/", "")), query = request.query or "",
    protocol = "HTTP", port = tostring(request.port),
  }
  local function fill(template, default)
    return ((template or default):gsub("#{(%w+)}", values))
  end
  local protocol, port = fill(config.protocol, "#{protocol}"), fill(config.port, "#{port}")
  local query = fill(config.query, "#{query}")
  local location = ("%s://%s:%s%s%s"):format(protocol:lower(), fill(config.host, "#{host}"), port,
    fill(config.path, "/#{path}"), query ~= "" and "?" .. query or "")
  return { status = tonumber(config.status_code:match("%d+")), body = "", headers = { location = location } }
end

local function fixed(_, _, action)
  local config = action.fixed_response_config
  return {
    status = tonumber(config.status_code), body = config.message_body or "",
    headers = { ["content-type"] = config.content_type or "text/plain" },
  }
end

local actions = { forward = forward, redirect = redirect, ["fixed-response"] = fixed }

-- The listener of a port; who does not say one means 80, or whatever there is.
local function listener_of(world, balancer, port)
  local first
  for _, listener in ipairs(world:state("elbv2").listeners) do
    if listener.balancer == balancer.arn then
      if listener.description.port == (port or 80) then
        return listener
      end
      first = first or listener
    end
  end
  return first
end

-- A query as text, from the map that the server's side makes of it.
local function query_text(query)
  if type(query) ~= "table" then
    return query
  end
  local parts = {}
  for name, value in util.sorted_pairs(query) do
    parts[#parts + 1] = value == "" and name or ("%s=%s"):format(name, tostring(value))
  end
  return #parts > 0 and table.concat(parts, "&") or nil
end

--- Answers a request for a load balancer's host name, or nil when it is not for one.
function traffic.http(world, request)
  local host, port = (request.host or ""):lower():match("^([^:]*):?(%d*)$")
  local balancer
  for _, entry in ipairs(world:state("elbv2").balancers) do
    balancer = entry.description.dns_name:lower() == host and entry or balancer
  end
  if not balancer then
    return nil
  end
  local listener = listener_of(world, balancer, tonumber(port))
  if not listener then
    return page(503)
  end
  local asked = {
    host = host, port = listener.description.port, method = request.method or "GET", path = request.path or "/",
    query = query_text(request.query), headers = request.headers or {},
  }
  for _, rule in ipairs(listeners.rules_of(world, listener.arn)) do
    if applies(rule, asked) then
      local last = rule.description.actions[#rule.description.actions]
      return actions[last.type] and actions[last.type](world, balancer, last, asked) or page(502)
    end
  end
end

-- ---- an ordinary minute --------------------------------------------------------------------------

local function dimension(arn)
  return arn:match(":loadbalancer/(.*)$") or arn:match(":(targetgroup/.*)$")
end

-- Adds what `requests` requests would have met.
local function pass(world, balancer, group, requests)
  local list, own, counts = receivers(group), count_of(group), count_of(balancer)
  if #list == 0 or requests == 0 then
    note(counts, "elb_503", requests)
    return
  end
  for index, target in ipairs(list) do
    local share = requests // #list + (index <= requests % #list and 1 or 0)
    local manner = app.manner(world, target.id, target.port)
    if not manner then
      note(counts, "elb_502", share)
      note(own, "refused", share)
    elseif manner.seconds > facts.durations.idle_timeout then
      note(counts, "elb_504", share)
    else
      local bad = math.floor(share * manner.error_rate / 100 + 0.5)
      note(own, "requests", share)
      note(own, "seconds", share * manner.seconds)
      note(own, "2XX", share - bad)
      note(own, "5XX", bad)
    end
  end
end

local function put(world, name, balancer, group, value, unit)
  local dimensions = { LoadBalancer = dimension(balancer.arn), TargetGroup = group and dimension(group.arn) }
  require("sim.cloudwatch").put(world, "AWS/ApplicationELB", name, dimensions, value, unit)
end

-- Counts of codes exist only in minutes where they are not zero.
local function put_count(world, name, balancer, group, value)
  if value and value > 0 then
    put(world, name, balancer, group, value, "Count")
  end
end

local function put_group(world, balancer, group, totals)
  local healthy, unhealthy = 0, 0
  for _, target in util.sorted_pairs(group.targets) do
    healthy = healthy + (target.state == "healthy" and 1 or 0)
    unhealthy = unhealthy + (target.state == "unhealthy" and 1 or 0)
  end
  put(world, "HealthyHostCount", balancer, group, healthy, "Count")
  put(world, "UnHealthyHostCount", balancer, group, unhealthy, "Count")
  local seen = count_of(group)
  for _, code in ipairs { "2XX", "3XX", "4XX", "5XX" } do
    put_count(world, ("HTTPCode_Target_%s_Count"):format(code), balancer, group, seen[code])
    note(totals, code, seen[code] or 0)
  end
  put_count(world, "TargetConnectionErrorCount", balancer, group, seen.refused)
  local requests = seen.requests or 0
  if requests > 0 then
    put(world, "RequestCount", balancer, group, requests, "Count")
    put(world, "RequestCountPerTarget", balancer, group, requests / math.max(#receivers(group), 1), "Count")
    put(world, "TargetResponseTime", balancer, group, seen.seconds / requests, "Seconds")
  end
  note(totals, "requests", requests)
  note(totals, "seconds", seen.seconds or 0)
  group.seen = {}
end

local function put_balancer(world, balancer, totals)
  local counts = count_of(balancer)
  local failed = 0
  for _, code in ipairs { "502", "503", "504" } do
    put_count(world, ("HTTPCode_ELB_%s_Count"):format(code), balancer, nil, counts["elb_" .. code])
    failed = failed + (counts["elb_" .. code] or 0)
  end
  put_count(world, "HTTPCode_ELB_5XX_Count", balancer, nil, failed)
  for _, code in ipairs { "2XX", "3XX", "4XX", "5XX" } do
    put_count(world, ("HTTPCode_Target_%s_Count"):format(code), balancer, nil, totals[code])
  end
  put_count(world, "RequestCount", balancer, nil, (totals.requests or 0) + failed)
  if (totals.requests or 0) > 0 then
    put(world, "TargetResponseTime", balancer, nil, totals.seconds / totals.requests, "Seconds")
  end
  balancer.seen = {}
end

-- The part of its requests that an action sends to a group, or nil when it does not know the group.
local function part_of(action, group_arn)
  local sum, own = 0, nil
  for _, group in ipairs(action.forward_config and action.forward_config.target_groups or {}) do
    local weight = group.weight or 1
    sum = sum + weight
    own = group.target_group_arn == group_arn and weight or own
  end
  return own and (sum > 0 and own / sum or 0)
end

-- The part of an ordinary minute that a group sees. Where rules disagree, the one that sends it least counts: a
-- listener for tests sends everything to a group that customers do not see yet.
local function part_of_day(world, balancer, group)
  local least
  for _, rule in ipairs(world:state("elbv2").rules) do
    local actions = rule.description.actions
    local part = rule.balancer == balancer.arn and part_of(actions[#actions], group.arn)
    if part and (not least or part < least) then
      least = part
    end
  end
  return least
end

-- The groups that a balancer forwards to, in order, as {group, part}; and the sum of their parts.
local function used_groups(world, balancer)
  local used, sum = {}, 0
  for _, group in ipairs(world:state("elbv2").groups) do
    local part = part_of_day(world, balancer, group)
    if part then
      used[#used + 1] = { group = group, part = part }
      sum = sum + part
    end
  end
  return used, sum
end

--- Puts the data points of the minute that ends.
function traffic.minute(world)
  for _, balancer in ipairs(world:state("elbv2").balancers) do
    local used, sum = used_groups(world, balancer)
    local requests = faults.get(world, "requests", balancer.name) or facts.requests_per_minute
    for _, item in ipairs(used) do
      pass(world, balancer, item.group, sum > 0 and math.floor(requests * item.part / sum + 1e-9) or 0)
    end
    local totals = {}
    for _, item in ipairs(used) do
      put_group(world, balancer, item.group, totals)
    end
    if #used > 0 then
      put_balancer(world, balancer, totals)
    end
  end
end

return traffic
