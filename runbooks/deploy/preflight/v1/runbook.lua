-- Everything that would make a deployment fail, found in one pass. What makes one only risky is a warning,
-- and what could not be looked at is told as such: neither counts as passed.

local preflight = require "moonbook.preflight"
local services = require "moonbook.services"

local runbook = {}

function runbook.plan(run, args)
  local found, err = attempt(ecs.preflight, args)
  if not found and err.code ~= "NotFound" then
    error(err, 0)
  end
  return found or { refuse = err.message }
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
  for _, entry in ipairs(plan.checks) do
    tell(entry)
  end
  local what = services.revision(plan.task_definition)
  return {
    message = ("Nothing was found that would make a deployment of %s to %s fail%s%s."):format(
      args.image and ("%s with %s"):format(what, args.image) or what,
      args.service,
      listed(plan.risky, "warning", "warnings"),
      listed(plan.unread, "not checked", "not checked")
    ),
    warnings = plan.risky,
    not_checked = plan.unread,
  }
end

return runbook
