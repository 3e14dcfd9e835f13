-- Every deployment that ECS remembers, newest first: when it began and how long it took, which revision and
-- image it went to, how it ended, and whether one can go back to that, or why not.

local dates = require "moonbook.dates"
local history = require "moonbook.history"
local images = require "moonbook.images"
local services = require "moonbook.services"
local target = require "moonbook.rollback.target"

local runbook = {}

-- "shop:v2 sha256:0123..." of every container.
local function image_list(revision)
  local parts = {}
  for _, image in pairs(revision and history.images(revision) or {}) do
    parts[#parts + 1] = images.short(image.image or "?") .. (image.digest and " " .. images.short_digest(image.digest) or "")
  end
  return table.concat(parts, ", ")
end

local words = {
  SUCCESSFUL = "successful", STOPPED = "stopped", ROLLBACK_SUCCESSFUL = "rolled back", ROLLBACK_FAILED = "rollback failed",
  IN_PROGRESS = "in progress", PENDING = "pending", STOP_REQUESTED = "stopping", ROLLBACK_REQUESTED = "rolling back",
  ROLLBACK_IN_PROGRESS = "rolling back",
}

-- Whether one can go back to each content, looked up once: { content = "yes" or why not }. `since`: when the
-- newest deployment that left it running was made, by content; what has none was never complete.
local function answers(entries, current, since)
  local revisions, contents = {}, {}
  for _, entry in ipairs(entries) do
    local content = entry.target and history.content(entry.target, "task")
    if content and not revisions[content] then
      revisions[content] = entry.target
      contents[#contents + 1] = content
    end
  end
  local out = {}
  each(contents, function(content)
    if content == current or not since[content] then
      out[content] = content == current and "runs now" or "no: it was never complete"
      return
    end
    local found, why = target.of_revision(revisions[content], nil, since[content])
    out[content] = not found and "no: " .. why
      or found.inactive and "yes, as a copy: it was deregistered"
      or #found.stale > 0 and "yes, pinned by digest: the tag means another image now"
      or "yes"
  end, { limit = 8 })
  return out
end

local function can_go_back(entry, known)
  return entry.target and known[history.content(entry.target, "task")] or "no: ECS no longer has the revision"
end

-- When each content was last left running: { content = seconds since 1970 }.
local function last_times(entries)
  local times = {}
  for index = #entries, 1, -1 do
    local _, revision = history.left_running(entries[index])
    if revision then
      times[history.content(revision, "task")] = entries[index].created_at
    end
  end
  return times
end

-- What a rollback would do now, by what rollback/ecs itself goes by.
local function outlook(stack, place, conflict, under_way)
  if under_way and #stack > 0 then
    return "a rollback now would stop the deployment under way and have ECS go back to "
      .. history.name(stack[#stack].revision)
  elseif conflict then
    return "a rollback now would need --to: the service is not set to what was deployed last"
  end
  local found = place and target.before(stack, place)
  return found and "a rollback now would go to " .. history.name(found.revision)
    or "there is nothing that a rollback could go to"
end

function runbook.plan(run, args)
  local service, why = services.find(args.cluster, args.service)
  if not service then
    return { refuse = why }
  end
  local ok, reason = services.followable(service)
  if not ok then
    return { refuse = reason }
  end
  local past, unreadable = history.read { cluster = args.cluster, service = args.service }
  if not past then
    return { refuse = unreadable }
  end
  local stack = history.stack(past.entries, "task")
  local place, conflict
  if #stack > 0 then
    place, conflict = target.first_place(service, past.entries, stack)
  end
  return { entries = past.entries, place = place, conflict = conflict }
end

-- What a machine gets of one row.
local function record_of(entry, answer)
  return {
    service_deployment = entry.arn,
    service_revision = entry.target_arn,
    created_at = entry.created_at,
    finished_at = entry.finished_at,
    status = entry.status,
    reason = entry.reason,
    task_definition = entry.target and entry.target.task_definition,
    images = entry.target and history.images(entry.target),
    restored = entry.restored_arn,
    can_go_back = answer,
  }
end

function runbook.verify(run, args, plan)
  local entries = plan.entries
  if #entries == 0 then
    return { message = ("ECS has no history of %s: nothing was deployed in the last 90 days."):format(args.service), deployments = {} }
  end
  local stack = history.stack(entries, "task")
  local shown = table.move(entries, 1, math.min(#entries, args.limit), 1, {})
  -- What was last complete is not what the service is set to when the newest deployment failed and was not rolled back.
  local current = plan.place ~= #stack and #stack > 0 and stack[#stack].content or nil
  local known = answers(shown, current, last_times(entries))
  local rows, records = {}, {}
  for index, entry in ipairs(shown) do
    local answer = can_go_back(entry, known)
    rows[index] = {
      dates.utc(entry.created_at),
      entry.finished_at and dates.span(entry.finished_at - entry.created_at) or "-",
      words[entry.status] or entry.status,
      services.revision(entry.target and entry.target.task_definition), image_list(entry.target), answer,
    }
    records[index] = record_of(entry, answer)
  end
  table_of({ "began (UTC)", "took", "ended", "task definition", "image", "can go back" }, rows)
  return {
    message = ("%d of %d deployments of %s; %s."):format(
      #shown,
      #entries,
      args.service,
      outlook(stack, plan.place, plan.conflict, history.under_way(entries))
    ),
    deployments = records,
  }
end

return runbook
