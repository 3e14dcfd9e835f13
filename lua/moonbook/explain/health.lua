--- How tasks fail the load balancer's health checks: reasons of targets and of events to causes. Pure.

local tasks = require "moonbook.explain.tasks"

local health = {}

local UNHEALTHY = "%(task (%x+)%) .-is unhealthy in %(target%-group (%S+)%) due to %(reason (.+)%)"
local NO_PAGE = { [404] = true, [405] = true, [410] = true }

-- "Health checks failed with these codes: [404]": the first of the codes, the worst if several.
local function status_in(why)
  local worst
  for code in (why:match("codes?: %[([%d,%s]+)%]") or ""):gmatch("%d+") do
    worst = math.max(worst or 0, math.tointeger(tonumber(code)))
  end
  return worst
end

--- The cause that a reason names ("Request timed out", "Health checks failed with these codes: [404]"), and
-- the status that the application answered, if any. nil when the reason names none.
function health.code(why)
  local status = why and status_in(why)
  if status then
    local code = status >= 500 and "app_unhealthy" or NO_PAGE[status] and "health_path_wrong"
      or "health_status_not_accepted"
    return code, status
  elseif not why then
    return nil
  elseif why:find("timed out", 1, true) then
    return "target_timeout"
  elseif why:find("internal error", 1, true) then
    return "balancer_error"
  elseif why:find("Health checks failed", 1, true) then
    return "app_not_listening"
  end
  return nil
end

--- Unhealthy targets as events tell of them: { [task id] = { why, group, message, at } }.
function health.events(events)
  local out = {}
  for _, event in ipairs(events) do
    local id, group, why = event.message:match(UNHEALTHY)
    if id and not out[id] then -- newest first
      out[id] = { why = why:gsub("%)%.?$", ""), group = group, message = event.message, at = event.created_at }
    end
  end
  return out
end

local function by_address(list)
  local out = {}
  for _, task in ipairs(list) do
    local address = tasks.address(task)
    if address then
      out[address] = task
    end
  end
  return out
end

--- Targets that are not well and belong to one of these tasks, as DescribeTargetHealth shows them now:
-- { [task id] = { why, group, state, reason, message } }.
function health.targets(groups, list)
  local out, owners = {}, by_address(list)
  for _, group in ipairs(groups) do
    for _, found in ipairs(group.targets) do
      local task, state = owners[found.target.id], found.target_health or {}
      local bad = state.state == "unhealthy" or state.state == "unhealthy.draining" or state.state == "unused"
      if task and bad then
        out[tasks.id(task)] = {
          why = state.description or state.reason, group = group.arn, state = state.state, reason = state.reason,
          message = ("target %s:%s of task %s is %s (%s)"):format(
            found.target.id, found.target.port or "?", tasks.id(task), state.state,
            state.description or state.reason or "no reason given"
          ),
        }
      end
    end
  end
  return out
end

--- What a target group checks, as a line.
function health.check_line(about)
  local line = "target group %s checks %s %s on port %s every %s s, timeout %s s, unhealthy after %s failures, "
    .. "accepts %s"
  return line:format(
    about.target_group_name or "?",
    about.health_check_protocol or "?",
    about.health_check_path or "",
    about.health_check_port or "?",
    about.health_check_interval_seconds or "?",
    about.health_check_timeout_seconds or "?",
    about.unhealthy_threshold_count or "?",
    about.matcher and about.matcher.http_code or "any answer"
  )
end

return health
