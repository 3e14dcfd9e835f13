--- Whether the account's Fargate quota leaves room for the tasks that run beside the present ones. CloudWatch
-- counts what is used of it, and knows the quota itself.
-- Uses: cloudwatch.get_metric_data.

local subject = {}

local NAME = "room for the tasks"
local LOOK_BACK, PERIOD = 3600, 300 -- seconds

-- "OnDemand" or "Spot", or nil when the service uses both.
local function class_of(pass)
  local spot, others = false, false
  for _, provider in ipairs(pass.service.capacity_provider_strategy or {}) do
    spot = spot or provider.capacity_provider == "FARGATE_SPOT"
    others = others or provider.capacity_provider ~= "FARGATE_SPOT"
  end
  if spot and others then
    return nil
  end
  return spot and "Spot" or "OnDemand"
end

local function queries(class)
  local dimensions = {
    { name = "Service", value = "Fargate" },
    { name = "Type", value = "Resource" },
    { name = "Resource", value = "vCPU" },
    { name = "Class", value = "Standard/" .. class },
  }
  local metric = { namespace = "AWS/Usage", metric_name = "ResourceCount", dimensions = dimensions }
  return {
    { id = "used", metric_stat = { metric = metric, period = PERIOD, stat = "Maximum" } },
    { id = "quota", expression = "SERVICE_QUOTA(used)" },
  }
end

function subject.read(pass)
  local class = class_of(pass)
  if not pass:on_fargate() or not class then
    return
  end
  pass:read("quota", "cloudwatch:GetMetricData", function()
    local answer = cloudwatch.get_metric_data {
      metric_data_queries = queries(class),
      start_time = now() - LOOK_BACK,
      end_time = now(),
      scan_by = "TimestampDescending",
    }
    local newest = {}
    for _, result in ipairs(answer.metric_data_results or {}) do
      newest[result.id] = (result.values or {})[1]
    end
    return newest
  end)
end

-- Why nothing is known, or nil.
local function unknown(pass, quota, why)
  if not pass:on_fargate() then
    return "the tasks run on container instances, whose room was not looked at"
  elseif not quota then
    return why or "the service uses Fargate and Fargate Spot, which have quotas of their own"
  elseif not quota.used or not quota.quota then
    return "CloudWatch has counted no vCPU of Fargate in the last hour"
  elseif not tonumber(pass.definition.cpu) then
    return "the task definition does not say how much CPU a task takes"
  end
end

function subject.judge(pass)
  local quota, why = pass:get("quota")
  local unclear = unknown(pass, quota, why)
  if unclear then
    pass:unread(NAME, unclear, "warn")
    return
  end
  local one = tonumber(pass.definition.cpu) / 1024
  local extra, free = pass:extra_tasks(), quota.quota - quota.used
  local told = ("%g of %g vCPU of the Fargate quota are free; more tasks at once: %d of %g vCPU"):format(
    free,
    quota.quota,
    extra,
    one
  )
  local room = extra == 0 or free >= one
  pass:require(NAME, room, room and told or told .. ": none can start; have the quota raised, or stop something else")
  if free >= one and free < extra * one then
    pass:advise("room for all tasks at once", false, told .. ": some have to wait")
  end
end

return subject
