-- Explains a deployment and says the causes it names, in order, in its message: "first: CODE; then: CODE, CODE".

local explain = require "moonbook.explain"
local services = require "moonbook.services"

local runbook = {}

local function failed_id(args)
  for _, event in ipairs(services.active(args.cluster, args.service).events) do
    local id = event.message:match("%(deployment (ecs%-svc/%d+)%) deployment failed")
    if id then
      return id
    end
  end
  return nil
end

-- What somebody would hand over who knows which deployment is meant; nil when explain is to find it.
local function wanted(args)
  if args.primary then
    local primary = services.primary(services.active(args.cluster, args.service))
    return { id = primary.id, task_definition = primary.task_definition, created_at = primary.created_at }
  elseif args.failed then
    return { id = failed_id(args) }
  elseif args.nth then
    local list = ecs.list_service_deployments { cluster = args.cluster, service = args.service }.service_deployments
    table.sort(list, function(a, b)
      return a.created_at > b.created_at
    end)
    return { arn = list[args.nth].service_deployment_arn }
  end
  return nil
end

local function names(causes)
  local then_ = {}
  for index = 2, #causes do
    then_[#then_ + 1] = causes[index].code
  end
  local first = causes[1] and causes[1].code or "none"
  return ("first: %s; then: %s"):format(first, #then_ > 0 and table.concat(then_, ", ") or "none")
end

local function tell_hopeless(args, result)
  local early = explain.hopeless {
    cluster = args.cluster, service = args.service,
    deployment = { id = result.deployment.id, created_at = result.deployment.created_at },
  }
  return early and early.code or "no"
end

function runbook.verify(run, args)
  local result = ecs.explain { cluster = args.cluster, service = args.service, deployment = wanted(args) }
  for _, line in ipairs(explain.lines(result)) do
    log.info(line)
  end
  local hopeless = tell_hopeless(args, result)
  return { message = ("%s; hopeless: %s; unread: %d"):format(names(result.causes), hopeless, #result.unread) }
end

return runbook
