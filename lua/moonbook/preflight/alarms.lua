--- Alarms that the deployment watches. One that is in ALARM when a deployment starts is not watched by ECS
-- for the whole of that deployment, so it protects nothing.
-- Uses: cloudwatch.describe_alarms.

local subject = {}

local function watched(pass)
  local alarms = (pass.service.deployment_configuration or {}).alarms or {}
  return alarms.enable and alarms.alarm_names or {}
end

function subject.read(pass)
  local names = watched(pass)
  if #names == 0 then
    return
  end
  pass:read("alarms", "cloudwatch:DescribeAlarms", function()
    local states = {}
    local answer = all(cloudwatch.describe_alarms, {
      alarm_names = names,
      alarm_types = { "MetricAlarm", "CompositeAlarm" },
    })
    for _, list in ipairs { answer.metric_alarms or {}, answer.composite_alarms or {} } do
      for _, alarm in ipairs(list) do
        states[alarm.alarm_name] = { state = alarm.state_value, reason = alarm.state_reason }
      end
    end
    return states
  end)
end

function subject.judge(pass)
  local names = watched(pass)
  if #names == 0 then
    return
  end
  local states, why = pass:get("alarms")
  if not states then
    pass:unread("deployment alarms exist", why)
    pass:unread("deployment alarms are quiet", why)
    return
  end
  local missing, firing, told = {}, {}, {}
  for _, name in ipairs(names) do
    local alarm = states[name]
    if not alarm then
      local text = "there is no alarm %s: make it, or take it out of the deployment_configuration"
      missing[#missing + 1] = text:format(name)
    elseif alarm.state == "ALARM" then
      local text = "%s is in ALARM (%s): ECS would not watch it in this deployment; treat its cause first"
      firing[#firing + 1] = text:format(name, alarm.reason or "no reason given")
    else
      told[#told + 1] = ("%s is %s"):format(name, alarm.state)
    end
  end
  pass:require_none("deployment alarms exist", missing, table.concat(names, ", "))
  pass:require_none("deployment alarms are quiet", firing, table.concat(told, ", "))
end

return subject
