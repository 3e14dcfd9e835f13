--- What recorded containers usually do: nothing of that is in AWS's answers. They run, answer their health
-- checks, and end well when told to. A scenario's images and `behave` overrule it.

local faults = require "sim.faults"
local walk = require "sim.recorded.walk"

local usual = {}

-- ---- pages ---------------------------------------------------------------------------------------

local function first_code(matcher)
  return tonumber(((matcher or {}).http_code or "200"):match("%d+"))
end

local function accepts_200(matcher)
  for part in ((matcher or {}).http_code or "200"):gmatch("[^,]+") do
    local low, high = part:match("^%s*(%d+)%s*%-?%s*(%d*)")
    low, high = tonumber(low), tonumber(high ~= "" and high or low)
    if low and low <= 200 and high >= 200 then
      return true
    end
  end
  return false
end

local function group_of(file, arn)
  for _, group in ipairs((file.elbv2 or {}).target_groups or {}) do
    if group.target_group_arn == arn then
      return group
    end
  end
end

-- Every page is there, unless a health check wants another answer than 200.
local function pages_of(file, container)
  for _, service in ipairs(file.ecs.services) do
    for _, balancer in ipairs(service.load_balancers or {}) do
      local group = balancer.container_name == container.name and group_of(file, balancer.target_group_arn)
      if group and not accepts_200(group.matcher) then
        return { ["/"] = 200, [group.health_check_path or "/"] = first_code(group.matcher) }
      end
    end
  end
end

-- ---- health checks of containers -----------------------------------------------------------------

-- Whether a container's check asks a port that nobody can see from outside: it passes then, as it does live.
local function asks_inside(container)
  local command = table.concat((container.health_check or {}).command or {}, " ")
  local port = tonumber(command:match("https?://[^/:%s]+:(%d+)"))
  for _, mapping in ipairs(container.port_mappings or {}) do
    if mapping.container_port == port then
      return false
    end
  end
  return port ~= nil
end

--- Says of every container what it usually does.
function usual.behaviours(world, file)
  walk.containers(file, function(container)
    faults.set(world, "behaviour", "usual:" .. container.name, {
      stop = { seconds = 2, code = 0 }, paths = pages_of(file, container),
      health = asks_inside(container) and "healthy" or nil,
    })
  end)
end

-- ---- platforms -----------------------------------------------------------------------------------

local names = { X86_64 = "linux/amd64", ARM64 = "linux/arm64" }

--- What images ran on, by digest: as the task definitions ask that their revisions and tasks were made of.
function usual.platforms(file)
  local asked, out = {}, {}
  for _, found in ipairs(file.ecs.task_definitions or {}) do
    local definition = found.task_definition
    asked[definition.task_definition_arn] = names[(definition.runtime_platform or {}).cpu_architecture or "X86_64"]
  end
  walk.images(file, function(container, definition)
    if container.image_digest and asked[definition] then
      out[container.image_digest] = { asked[definition] }
    end
  end)
  return out
end

return usual
