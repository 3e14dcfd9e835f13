--- Log groups that the awslogs driver writes to. A container does not start without its group.
-- Uses: logs.describe_log_groups.

local subject = {}

-- Of every container that logs to CloudWatch: { container, group, region, creates, prefix }.
function subject.drivers(pass)
  local list = {}
  for _, container in ipairs(pass.definition.container_definitions) do
    local log = container.log_configuration or {}
    local options = log.options or {}
    if log.log_driver == "awslogs" then
      list[#list + 1] = {
        container = container.name,
        group = options["awslogs-group"],
        region = options["awslogs-region"] or pass.region,
        creates = options["awslogs-create-group"] == "true",
        prefix = options["awslogs-stream-prefix"],
      }
    end
  end
  return list
end

-- The groups to look for here, each once.
local function wanted(pass)
  local names = {}
  for _, driver in ipairs(subject.drivers(pass)) do
    if driver.group and driver.region == pass.region and not driver.creates then
      names[#names + 1] = driver.group
    end
  end
  return pass.unique(names)
end

-- Groups come in the order of their names, so one of exactly this name is the first of its prefix.
local function exists(name)
  local answer = logs.describe_log_groups { log_group_name_prefix = name, limit = 1 }
  local first = (answer.log_groups or {})[1]
  return first ~= nil and first.log_group_name == name
end

function subject.read(pass)
  pass:read("log_groups", "logs:DescribeLogGroups", function()
    local found, names = {}, wanted(pass)
    for index, there in ipairs(each(names, exists)) do
      found[names[index]] = there
    end
    return found
  end)
end

local function problem_of(driver, found)
  if not driver.group then
    return ("container %s logs by awslogs and names no awslogs-group"):format(driver.container)
  elseif found[driver.group] == false then
    return ("there is no log group %s, which container %s logs to: create it, or set awslogs-create-group"):format(
      driver.group,
      driver.container
    )
  end
end

function subject.judge(pass)
  local drivers = subject.drivers(pass)
  if #drivers == 0 then
    return
  end
  local found, why = pass:get("log_groups")
  if not found then
    pass:unread("log groups exist", why)
    return
  end
  local problems, fine = {}, {}
  for _, driver in ipairs(drivers) do
    problems[#problems + 1] = problem_of(driver, found)
    if driver.creates then
      fine[#fine + 1] = ("%s is created when it is missing"):format(driver.group)
    elseif driver.region ~= pass.region then
      pass:unread("log groups exist", ("%s is in %s and was not looked at"):format(driver.group, driver.region))
    elseif driver.group then
      fine[#fine + 1] = driver.group
    end
  end
  if #problems > 0 or #fine > 0 then
    pass:require_none("log groups exist", problems, table.concat(pass.unique(fine), ", "))
  end
end

return subject
