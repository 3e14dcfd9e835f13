--- What a service really ran: its service deployments and service revisions, as ECS kept them.
--
--     local past, why = history.read { cluster = c, service = s }
--     local stack = history.stack(past.entries)     -- what ran before what
--
-- ECS keeps 90 days, from 25 October 2024 on, and forgets the revisions of a deleted service
-- (spec/rollback-and-wait 3.3). A service deployment says which revision it went to and how it ended; a
-- revision holds the task definition, the digest of every image and the configuration, and never changes.
-- "The revision before" of a family says nothing of what ran: others register revisions too.
--
-- Uses: ecs.list_service_deployments, ecs.describe_service_deployments, ecs.describe_service_revisions; history.read:
-- ecs.describe_task_definition as well.

local patience = require "moonbook.patience"
local sameness = require "moonbook.history.sameness"

local history = {}

local BATCH = 20 -- DescribeServiceDeployments and DescribeServiceRevisions take no more at once

history.over = {
  SUCCESSFUL = true, STOPPED = true, ROLLBACK_SUCCESSFUL = true, ROLLBACK_FAILED = true,
}

-- ---- reading -------------------------------------------------------------------------------------

--- Whether an error says that this service or account has no service deployments, or that we may not see
-- them: then other ways are left. Everything else is raised.
function history.unreadable(err)
  return err.kind == "denied" or err.code == "UnsupportedFeatureException" or err.code == "InvalidActionException"
    or err.code == "UnknownOperationException"
end

local function batches(list)
  local out = {}
  for first = 1, #list, BATCH do
    local batch = {}
    for index = first, math.min(first + BATCH - 1, #list) do
      batch[#batch + 1] = list[index]
    end
    out[#out + 1] = batch
  end
  return out
end

-- What a call gave of a batch when some of it was not there any more.
local function found_of(primitive, args)
  local answer, err = patience.attempt(primitive, args)
  if answer then
    return answer
  elseif err.code == "MISSING" and err.output then
    return err.output
  end
  error(err, 0)
end

local function by_age(a, b)
  if a.created_at ~= b.created_at then
    return a.created_at > b.created_at
  end
  return a.service_deployment_arn > b.service_deployment_arn
end

--- The service deployments of a service, newest first, as ListServiceDeployments shows them; `after`:
-- only those created at that time (seconds since 1970) or later. nil and a sentence when the account
-- lacks them or may not read them.
function history.list(cluster, service, after)
  local answer, err = patience.attempt(all, ecs.list_service_deployments, {
    cluster = cluster, service = service, created_at = after and { after = after } or nil, max_results = 100,
  })
  if not answer then
    if history.unreadable(err) then
      return nil, ("the service deployments cannot be read (%s: %s)"):format(err.code, err.message)
    end
    error(err, 0)
  end
  local list = answer.service_deployments or {}
  table.sort(list, by_age) -- no order is documented
  return list
end

--- Service deployments in full, in the order of the ARNs; those that are gone are left out.
function history.describe(arns)
  local out = {}
  for _, answer in ipairs(each(batches(arns), function(batch)
    return found_of(ecs.describe_service_deployments, { service_deployment_arns = batch })
  end)) do
    for _, deployment in ipairs(answer.service_deployments or {}) do
      out[#out + 1] = deployment
    end
  end
  return out
end

--- Service revisions by their ARN; those that are gone are left out.
function history.revisions(arns)
  local out = {}
  for _, answer in ipairs(each(batches(arns), function(batch)
    return found_of(ecs.describe_service_revisions, { service_revision_arns = batch })
  end)) do
    for _, revision in ipairs(answer.service_revisions or {}) do
      out[revision.service_revision_arn] = revision
    end
  end
  return out
end

-- What the members of these names say in a list, each once.
local function arns_of(list, ...)
  local out, seen = {}, {}
  for _, name in ipairs { ... } do
    for _, item in ipairs(list) do
      local arn = item[name]
      if arn and not seen[arn] then
        seen[arn] = true
        out[#out + 1] = arn
      end
    end
  end
  return out
end

-- The briefs whose end only their description tells: what a rollback went to, and how one still goes; and the oldest,
-- for what ran before all that ECS remembers.
local function worth_describing(list)
  local out = {}
  for place, brief in ipairs(list) do
    if brief.status ~= "SUCCESSFUL" and brief.status ~= "STOPPED" or place == #list then
      out[#out + 1] = brief
    end
  end
  return out
end

-- The only revision that ran when a deployment began; nil when none or several did.
local function source_of(deployment)
  local sources = deployment and deployment.source_service_revisions or {}
  return #sources == 1 and sources[1].arn or nil
end

local function with_descriptions(list)
  local described = {}
  for _, deployment in ipairs(history.describe(arns_of(worth_describing(list), "service_deployment_arn"))) do
    described[deployment.service_deployment_arn] = deployment
  end
  local entries = {}
  for index, brief in ipairs(list) do
    local whole = described[brief.service_deployment_arn]
    entries[index] = {
      arn = brief.service_deployment_arn,
      created_at = brief.created_at,
      finished_at = brief.finished_at,
      status = whole and whole.status or brief.status,
      reason = whole and whole.status_reason or brief.status_reason,
      target_arn = brief.target_service_revision_arn,
      restored_arn = whole and whole.rollback and whole.rollback.service_revision_arn,
      deployment = whole,
      source_arn = index == #list and source_of(whole) or nil,
    }
  end
  return entries
end

-- The revisions an entry needs, put in.
local function with_revisions(entries)
  local revisions = history.revisions(arns_of(entries, "target_arn", "restored_arn", "source_arn"))
  sameness.find(revisions)
  for _, entry in ipairs(entries) do
    entry.target, entry.restored = revisions[entry.target_arn], revisions[entry.restored_arn]
    entry.source = revisions[entry.source_arn]
  end
  return entries, revisions
end

--- The whole history of a service: { entries, revisions = revisions by ARN }, the entries newest first:
-- { arn, created_at, finished_at, status, reason, target_arn, target = the revision it went to,
-- restored_arn, restored = the revision ECS went back to, deployment = its description unless it ended
-- SUCCESSFUL or STOPPED; of the oldest source_arn, source = what ran before it }. `limit`: only so many of the newest. nil and a sentence as in history.list.
function history.read(options)
  local list, why = history.list(options.cluster, options.service)
  if not list then
    return nil, why
  end
  if options.limit and #list > options.limit then
    list = table.move(list, 1, options.limit, 1, {})
  end
  local entries, revisions = with_revisions(with_descriptions(list))
  return { entries = entries, revisions = revisions }
end

-- ---- what a revision is --------------------------------------------------------------------------

--- The digests a revision recorded, by container name: { name = { image, digest } }.
function history.images(revision)
  local out = {}
  for _, image in ipairs(revision.container_images or {}) do
    out[image.container_name] = { image = image.image, digest = image.image_digest }
  end
  return out
end

-- The part of a revision that UpdateService sets besides the task definition.
history.configuration_fields = {
  "network_configuration", "load_balancers", "service_registries", "capacity_provider_strategy", "platform_version",
  "service_connect_configuration", "volume_configurations", "vpc_lattice_configurations",
}

--- What must be equal for two revisions to run the same: a text. `scope` "task": what the task definition says,
-- and the digests; "service": the configuration as well. Of a revision that history.read did not give, a task
-- definition is told by its name.
function history.content(revision, scope)
  local parts = { revision.same_as or revision.task_definition or "?" }
  local images = history.images(revision)
  for name, image in pairs(images) do -- in order: pairs is sorted here
    parts[#parts + 1] = ("%s=%s"):format(name, image.digest or image.image or "?")
  end
  if scope == "service" then
    for _, field in ipairs(history.configuration_fields) do
      parts[#parts + 1] = revision[field] ~= nil and json.encode(revision[field]) or ""
    end
  end
  return table.concat(parts, "\n")
end

--- "aistudio:12 (sha256:0123456789ab)": a revision as people name it.
function history.name(revision)
  if not revision then
    return "a revision that ECS no longer has"
  end
  local definition = (revision.task_definition or "?"):match("([^/]+)$")
  for _, image in pairs(history.images(revision)) do
    if image.digest then
      return ("%s (%s)"):format(definition, image.digest:sub(1, 19))
    end
  end
  return definition
end

-- ---- what ran before what ------------------------------------------------------------------------

--- What an ended deployment left running: the revision's ARN, and the revision when ECS still has it; nil when the
-- deployment changed nothing for good.
function history.left_running(entry)
  if entry.status == "SUCCESSFUL" then
    return entry.target_arn, entry.target
  elseif entry.status == "ROLLBACK_SUCCESSFUL" then
    return entry.restored_arn, entry.restored
  end
  return nil
end

-- Takes everything above the place with this content away; false when it has none.
local function pop_to(stack, content)
  for place = #stack, 1, -1 do
    if stack[place].content == content then
      for above = #stack, place + 1, -1 do
        stack[above] = nil
      end
      return true
    end
  end
  return false
end

-- What ran before the oldest deployment that ECS remembers: it keeps 90 days, and what ran before may be older.
local function bottom_of(entries, scope)
  local oldest = entries[#entries]
  local revision = oldest and oldest.source
  return revision and {
    content = history.content(revision, scope), revision = revision, revision_arn = oldest.source_arn, entry = oldest, last = {},
  }
end

--- What ran before what, oldest first: a list of { content, revision, revision_arn, entry = the
-- deployment that first put it in place, last = the newest one that left it running }. The last one is
-- what the history says runs now; the one before it is what to go back to. To go back to something takes
-- what came after it off the list: after v4, v5 and back to v4 the list ends v3, v4, and the next step
-- back is v3, never v5.
function history.stack(entries, scope)
  local stack = { bottom_of(entries, scope) }
  for index = #entries, 1, -1 do
    local entry = entries[index]
    local arn, revision = history.left_running(entry)
    if arn then
      -- A revision that is gone is told apart by its name.
      local content = revision and history.content(revision, scope) or arn
      if pop_to(stack, content) then
        stack[#stack].last, stack[#stack].revision, stack[#stack].revision_arn = entry, revision, arn
      else
        stack[#stack + 1] = { content = content, revision = revision, revision_arn = arn, entry = entry, last = entry }
      end
    end
  end
  return stack
end

--- The newest entry that is not over, or nil.
function history.under_way(entries)
  local newest = entries[1]
  return newest and not history.over[newest.status] and newest or nil
end

-- ---- finding one deployment ----------------------------------------------------------------------

local CLOCK_MARGIN = 60 -- seconds by which the two ids of one deployment may differ in age, at most
local NEAR = 15 -- candidates further apart than this are not the same deployment

local function distance(brief, started)
  return math.abs(brief.created_at - started.created_at)
end

--- Whether a service deployment was made when a deployment of the service's list was.
function history.is_near(record, started)
  return distance(record, started) <= NEAR
end

-- Of several near in time, those that went to the same task definition, nearest first.
local function of_definition(list, started)
  local revisions = history.revisions(arns_of(list, "target_service_revision_arn"))
  local out = {}
  for _, brief in ipairs(list) do
    local revision = revisions[brief.target_service_revision_arn]
    if not revision or not started.task_definition or revision.task_definition == started.task_definition then
      out[#out + 1] = brief
    end
  end
  return out
end

--- The service deployment behind a deployment of the service's list: { id, created_at, task_definition,
-- known = set of ARNs that were there before it }. No field links the two: they are joined by time and task
-- definition. nil when there is none yet (a read
-- may lag), nil and a sentence when service deployments cannot be read.
function history.find(cluster, service, started)
  local list, why = history.list(cluster, service, math.floor(started.created_at - CLOCK_MARGIN))
  if not list then
    return nil, why
  end
  local near = {}
  for _, brief in ipairs(list) do
    local known = started.known and started.known[brief.service_deployment_arn]
    if not known and history.is_near(brief, started) then
      near[#near + 1] = brief
    end
  end
  if #near > 1 then
    near = of_definition(near, started)
  end
  table.sort(near, function(a, b)
    return distance(a, started) < distance(b, started)
  end)
  return near[1] and near[1].service_deployment_arn or nil
end

return history
