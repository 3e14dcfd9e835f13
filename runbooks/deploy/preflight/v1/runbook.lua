-- Everything that would make a deployment fail, found in one pass. What makes one only risky is a warning,
-- and what could not be looked at is told as such: neither counts as passed.

local images = require "moonbook.images"
local preflight = require "moonbook.preflight"
local services = require "moonbook.services"

local runbook = {}

-- The task definition, or nil and a sentence.
local function task_definition(name)
  local answer, err = attempt(ecs.describe_task_definition, { task_definition = name })
  if answer then
    return answer.task_definition
  elseif err.code == "ClientException" then
    return nil, ("There is no task definition %s (%s)."):format(name, err.message)
  end
  error(err, 0)
end

function runbook.plan(run, args)
  local service, why = services.find(args.cluster, args.service)
  if not service then
    return { refuse = why }
  end
  local definition, missing = task_definition(args.task_definition or service.task_definition)
  if not definition then
    return { refuse = missing }
  end
  local wanted, unfit = definition, nil
  if args.image then
    wanted, unfit = images.put(definition, {
      image = args.image,
      container = args.container,
      balanced = preflight.balanced_container(service),
    })
    if not wanted then
      return { refuse = unfit }
    end
  end
  return { service = service, task_definition = wanted }
end

-- "; 2 warnings: rollback, grace period", or nothing.
local function listed(found, one, many)
  if #found == 0 then
    return ""
  end
  return ("; %d %s: %s"):format(#found, #found == 1 and one or many, preflight.names(found))
end

local function tell(entry)
  if entry.unread then
    log.warn("not checked: " .. preflight.line(entry))
  elseif entry.level == "warn" and not entry.ok then
    log.warn(preflight.line(entry))
  else
    check(entry.name, entry.ok, entry.message, entry.evidence)
  end
end

function runbook.verify(run, args, plan)
  local found = preflight.checks {
    cluster = args.cluster,
    service = plan.service,
    task_definition = plan.task_definition,
    registers = args.image ~= nil,
  }
  for _, entry in ipairs(found) do
    tell(entry)
  end
  local risky, unread = preflight.risky(found), preflight.unread(found)
  local what = services.revision(plan.task_definition.task_definition_arn)
  return {
    message = ("Nothing was found that would make a deployment of %s to %s fail%s%s."):format(
      args.image and ("%s with %s"):format(what, args.image) or what,
      args.service,
      listed(risky, "warning", "warnings"),
      listed(unread, "not checked", "not checked")
    ),
    warnings = risky,
    not_checked = unread,
  }
end

return runbook
