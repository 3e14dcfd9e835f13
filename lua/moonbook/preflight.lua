--- Everything that would make a deployment fail, found before it starts: in parallel, without reading a
-- secret's value and without writing anything.
--
--     local preflight = require "moonbook.preflight"
--     local found = preflight.checks { cluster = c, service = service, task_definition = definition }
--     local failing = preflight.failing(found)
--
-- Uses: what the manifest of deploy/preflight lists under `uses`; and `hosts` with "*.amazonaws.com" and
-- "*.amazonaws.com.cn", where the registry keeps the configuration of an image.

local images = require "moonbook.images"
local Pass = require "moonbook.preflight.pass"

local preflight = {}

-- In the order in which their checks are told.
local subjects = {
  require "moonbook.preflight.service",
  require "moonbook.preflight.rollout",
  require "moonbook.preflight.quotas",
  require "moonbook.preflight.task_definition",
  require "moonbook.preflight.images",
  require "moonbook.preflight.roles",
  require "moonbook.preflight.permissions",
  require "moonbook.preflight.secrets",
  require "moonbook.preflight.logs",
  require "moonbook.preflight.network",
  require "moonbook.preflight.routes",
  require "moonbook.preflight.balancing",
  require "moonbook.preflight.alarms",
}

-- Lets every subject that has this part read, all at the same time.
local function read(pass, part)
  each(subjects, function(subject)
    if subject[part] then
      subject[part](pass)
    end
  end)
end

--- Makes every check. `options`:
--   cluster          the cluster's name
--   service          the service as ecs.describe_services gives it
--   task_definition  what would be deployed: as described, or as it would be registered
--   registers        true when a revision would be registered: the caller's right to do so is asked for
--   image            what an operator typed (moonbook.images.resolve): put into the task definition first;
--                    a revision would then be registered
--   container        the container that `image` is for, see moonbook.images.put
-- Gives a list in a fixed order of { name, ok, message, evidence, level, unread }: `level` is "fail" for what
-- would make the deployment fail, "warn" for what makes it risky; where `unread` is true the check could not be
-- made, `ok` is nil and the message says why. Gives nil and a sentence when the image fits no container.
-- A call that fails for another reason than that AWS denies it is raised.
function preflight.checks(options)
  local definition, registers = options.task_definition, options.registers
  if options.image then
    local changed, why = images.put(definition, {
      image = options.image,
      container = options.container,
      balanced = preflight.balanced_container(options.service),
    })
    if not changed then
      return nil, why
    end
    definition, registers = changed, true
  end
  local pass = Pass.new {
    cluster = options.cluster,
    service = options.service,
    task_definition = definition,
    registers = registers,
  }
  read(pass, "read")
  read(pass, "read_more")
  for _, subject in ipairs(subjects) do
    if subject.judge then
      subject.judge(pass)
    end
  end
  return pass.results
end

--- The container that the load balancer sends to, or nil.
function preflight.balanced_container(service)
  local first = (service.load_balancers or {})[1]
  return first and first.container_name
end

local function chosen(found, wanted)
  local list = {}
  for _, entry in ipairs(found) do
    list[#list + 1] = wanted(entry) and entry or nil
  end
  return list
end

--- The checks that were made, do not hold and would make the deployment fail.
function preflight.failing(found)
  return chosen(found, function(entry)
    return entry.level == "fail" and not entry.unread and not entry.ok
  end)
end

--- The checks that were made, do not hold and make the deployment risky.
function preflight.risky(found)
  return chosen(found, function(entry)
    return entry.level == "warn" and not entry.unread and not entry.ok
  end)
end

--- The checks that could not be made.
function preflight.unread(found)
  return chosen(found, function(entry)
    return entry.unread
  end)
end

--- "name: message" of a check.
function preflight.line(entry)
  return entry.message and ("%s: %s"):format(entry.name, entry.message) or entry.name
end

--- The names of checks, each once: "rollback, grace period".
function preflight.names(found)
  local names = {}
  for index, entry in ipairs(found) do
    names[index] = entry.name
  end
  return table.concat(Pass.unique(names), ", ")
end

--- The command that makes these checks alone, for `next`.
function preflight.command(cluster, name)
  return ("moonbook run deploy/preflight --cluster %s --service %s"):format(cluster, name)
end

return preflight
