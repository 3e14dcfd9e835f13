--- One pass of preflight: what was read, what could not be read, and what was found.
--
-- Subjects (the other files of this folder) read in parallel, first what they can ask for at once (`read`),
-- then what depends on that (`read_more`); then each judges (`judge`) by what is there. Nothing is
-- read twice. What may not be read is never fine: it is listed as unread, with the action that was denied.

local pass = {}
pass.__index = pass

--- A pass over a service and the task definition that would be deployed. `options` as preflight.checks.
function pass.new(options)
  local service = options.service
  local partition, region, account = (service.service_arn or ""):match("^arn:([^:]*):ecs:([^:]*):([^:]*):")
  return setmetatable({
    cluster = options.cluster,
    service = service,
    definition = options.task_definition,
    registers = options.registers == true,
    partition = partition,
    region = region,
    account = account,
    seen = {},
    denied = {},
    results = {},
  }, pass)
end

-- ---- reading -------------------------------------------------------------------------------------

--- Keeps what `f` gives under a name. Where AWS denies it, keeps that `action` was denied; any other
-- failure is raised.
function pass:read(name, action, f)
  local value, err = attempt(f)
  if err and err.kind == "denied" then
    self.denied[name] = ("could not be read (denied: %s)"):format(action)
  elseif err then
    error(err, 0)
  else
    self.seen[name] = value
  end
end

--- What was read under a name; or nil and why it could not be. nil alone: it was not asked for.
function pass:get(name)
  return self.seen[name], self.denied[name]
end

-- ---- finding -------------------------------------------------------------------------------------

local function add(self, level, name, ok, message, evidence)
  self.results[#self.results + 1] = {
    name = name,
    ok = ok,
    message = message,
    evidence = evidence,
    level = level,
    unread = false,
  }
  return ok
end

--- A check without which the deployment would fail.
function pass:require(name, ok, message, evidence)
  return add(self, "fail", name, ok and true or false, message, evidence)
end

--- A check without which the deployment is risky.
function pass:advise(name, ok, message, evidence)
  return add(self, "warn", name, ok and true or false, message, evidence)
end

--- A required check over a list: it holds when there are no problems.
function pass:require_none(name, problems, fine)
  local none = #problems == 0
  return self:require(name, none, none and fine or table.concat(problems, "; "), problems[2] and problems or nil)
end

--- An advised check over a list.
function pass:advise_none(name, problems, fine)
  local none = #problems == 0
  return self:advise(name, none, none and fine or table.concat(problems, "; "), problems[2] and problems or nil)
end

--- A check that could not be made, and why.
function pass:unread(name, why, level)
  self.results[#self.results + 1] = { name = name, message = why, level = level or "fail", unread = true }
end

-- ---- for all subjects ----------------------------------------------------------------------------

--- Whether the tasks run on Fargate, as far as the service says: true or false.
function pass:on_fargate()
  local service = self.service
  if service.launch_type then
    return service.launch_type == "FARGATE"
  end
  for _, provider in ipairs(service.capacity_provider_strategy or {}) do
    if not provider.capacity_provider:find("^FARGATE") then
      return false
    end
  end
  return #(service.capacity_provider_strategy or {}) > 0
end

--- The deployment strategy: "ROLLING" unless the service says another one.
function pass:strategy()
  return (self.service.deployment_configuration or {}).strategy or "ROLLING"
end

--- How many tasks there may and must be in a rolling deployment: { desired, lower, upper }.
-- ECS rounds the lower bound up and the upper one down.
function pass:bounds()
  local service = self.service
  local configuration = service.deployment_configuration or {}
  local desired = service.desired_count or 0
  local minimum = configuration.minimum_healthy_percent or 100
  local maximum = configuration.maximum_percent or 200
  return {
    desired = desired,
    minimum = minimum,
    maximum = maximum,
    lower = (desired * minimum + 99) // 100,
    upper = desired * maximum // 100,
  }
end

--- How many tasks run beside the present ones at the height of the rollout.
function pass:extra_tasks()
  local bounds = self:bounds()
  if self:strategy() ~= "ROLLING" then
    return bounds.desired -- the new version runs in full before traffic moves
  end
  return math.max(0, math.min(bounds.upper - bounds.desired, bounds.desired))
end

--- The subnets, groups and public address of the tasks, or nil.
function pass:network()
  return (self.service.network_configuration or {}).awsvpc_configuration
end

--- The last part of an ARN or path.
function pass.last_part(text)
  return text:match("([^/:]+)$") or text
end

--- The texts of a list that are there, each once, in the order they came.
function pass.unique(list)
  local out, known = {}, {}
  for _, text in ipairs(list) do
    if not known[text] then
      known[text] = true
      out[#out + 1] = text
    end
  end
  return out
end

return pass
