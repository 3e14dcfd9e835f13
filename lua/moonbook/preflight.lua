--- Everything that would make a deployment fail, found before it starts: in parallel, without reading a
-- secret's value and without writing anything.
--
--     local preflight = require "moonbook.preflight"
--     local what, why = preflight.resolve { cluster = c, service = s, image = "v2" }
--     if not what then
--       return { refuse = why }
--     end
--     local failing = preflight.failing(preflight.checks(what))
--
-- Uses: ecs.preflight, the primitive that is made of this module, allows all that it calls. `hosts` of the manifest
-- should name "*.amazonaws.com" and "*.amazonaws.com.cn": there the registry keeps the configuration of an image,
-- which says what processor it is for.

local images = require "moonbook.images"
local Pass = require "moonbook.preflight.pass"
local services = require "moonbook.services"

local preflight = {}

-- In the order in which their checks are told.
local subjects = {
  { name = "service", part = require "moonbook.preflight.service" },
  { name = "rollout", part = require "moonbook.preflight.rollout" },
  { name = "quotas", part = require "moonbook.preflight.quotas" },
  { name = "task_definition", part = require "moonbook.preflight.task_definition" },
  { name = "images", part = require "moonbook.preflight.images" },
  { name = "roles", part = require "moonbook.preflight.roles" },
  { name = "permissions", part = require "moonbook.preflight.permissions" },
  { name = "secrets", part = require "moonbook.preflight.secrets" },
  { name = "logs", part = require "moonbook.preflight.logs" },
  { name = "network", part = require "moonbook.preflight.network" },
  { name = "routes", part = require "moonbook.preflight.routes" },
  { name = "balancing", part = require "moonbook.preflight.balancing" },
  { name = "alarms", part = require "moonbook.preflight.alarms" },
}

-- The subjects of these names; all when there is no list.
local function chosen_subjects(names)
  local wanted, parts = {}, {}
  for _, name in ipairs(names or {}) do
    wanted[name] = true
  end
  for _, subject in ipairs(subjects) do
    if not names or wanted[subject.name] then
      parts[#parts + 1] = subject.part
    end
  end
  return parts
end

-- Lets every subject that has this stage read, all at the same time.
local function read(parts, pass, stage)
  each(parts, function(part)
    if part[stage] then
      part[stage](pass)
    end
  end)
end

--- The container that the load balancer sends to, or nil.
function preflight.balanced_container(service)
  local first = (service.load_balancers or {})[1]
  return first and first.container_name
end

-- A task definition, or nil and a sentence. (moonbook.task_definitions reads one too, but it writes as well: a
-- runbook that only reads may not bring it in.)
local function described(name)
  local answer, err = attempt(ecs.describe_task_definition, { task_definition = name })
  if answer then
    return answer.task_definition
  elseif err.code == "ClientException" then
    return nil, ("There is no task definition %s (%s)."):format(name:match("([^/]+)$"), err.message)
  end
  error(err, 0)
end

--- What would be deployed, for preflight.checks. `options`:
--   cluster, service  their names
--   task_definition   the revision that would be deployed; when absent the service's own
--   image             what an operator typed, put into that task definition: see moonbook.images.resolve
--   container         the container that `image` is for: see moonbook.images.put
-- Gives a table, or nil and a sentence when there is no such cluster, service, revision or container.
function preflight.resolve(options)
  local service, no_service = services.find(options.cluster, options.service)
  if not service then
    return nil, no_service
  end
  local name = options.task_definition or service.task_definition
  if not name then -- its task sets have task definitions of their own
    local _, why = services.followable(service)
    return nil, why or ("Service %s names no task definition."):format(options.service)
  end
  local definition, why = described(name)
  if definition and options.image then
    definition, why = images.put(definition, {
      image = options.image,
      container = options.container,
      balanced = preflight.balanced_container(service),
    })
  end
  if not definition then
    return nil, why
  end
  return {
    cluster = options.cluster,
    service = service,
    task_definition = definition,
    registers = options.image ~= nil,
  }
end

--- Makes every check. `options`, as preflight.resolve gives them:
--   cluster          the cluster's name
--   service          the service as ecs.describe_services gives it
--   task_definition  what would be deployed: as described, or as it would be registered
--   registers        true when a revision would be registered: the caller's right to do so is asked for
--   only             names of subjects, as the files of moonbook/preflight are called; when absent all
-- Gives a list in a fixed order of { name, ok, message, evidence, level, unread }: `level` is "fail" for what
-- would make the deployment fail, "warn" for what makes it risky; where `unread` is true the check could not be
-- made, `ok` is nil and the message says why. A call that fails for another reason than that AWS denies it is
-- raised.
function preflight.checks(options)
  local pass, parts = Pass.new(options), chosen_subjects(options.only)
  read(parts, pass, "read")
  read(parts, pass, "read_more")
  for _, part in ipairs(parts) do
    part.judge(pass)
  end
  return pass.results
end

--- The body of ecs.preflight: takes what preflight.resolve takes, gives { checks, failing, risky, unread,
-- task_definition }: lists of what preflight.checks gives, and the ARN of the revision. Raises NotFound when there is
-- nothing of that name.
function preflight.deployment(options)
  local what, why = preflight.resolve(options)
  if not what then
    error({ code = "NotFound", message = why }, 0)
  end
  local found = preflight.checks(what)
  return {
    checks = found,
    failing = preflight.failing(found),
    risky = preflight.risky(found),
    unread = preflight.unread(found),
    task_definition = what.task_definition.task_definition_arn,
  }
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

return preflight
