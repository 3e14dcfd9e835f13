--- Basic image scanning. What a scan finds is said by the scenario: fault "scan_findings" of the image
-- ("REPOSITORY:TAG", its digest, or the repository's name), a list of {name, severity, description, uri,
-- attributes}.

local facts = require "sim.facts.ecr"
local manifests = require "sim.ecr.manifests"
local store = require "sim.ecr.store"
local util = require "sim.util"

local scans, operations, handlers = {}, {}, {}

local function findings_of(world, repository, image)
  local faults = require "sim.faults"
  local keys = { image.digest }
  for _, tag in ipairs(store.tags_of(repository, image)) do
    keys[#keys + 1] = repository.name .. ":" .. tag
  end
  keys[#keys + 1] = repository.name
  for _, key in ipairs(keys) do
    local found = faults.get(world, "scan_findings", key)
    if type(found) == "table" then
      return found
    end
  end
  return {}
end

local function start(world, repository, image)
  image.scan = { status = "IN_PROGRESS" }
  world:after(facts.durations.scan, "ecr.scanned", { repository = repository.name, digest = image.digest })
end

--- An image arrived: it is scanned when its repository says so.
function scans.pushed(world, repository, image)
  if repository.scan_on_push and not manifests.is_index(image.media_type) then
    start(world, repository, image)
  end
end

function handlers.scanned(world, args)
  local repository = store.find(world, args.repository)
  local image = repository and store.image(repository, args.digest)
  if not image or not image.scan then
    return
  end
  local list, counts = {}, {}
  for index, found in ipairs(findings_of(world, repository, image)) do
    local severity = found.severity or "UNDEFINED"
    list[index] = {
      name = found.name, severity = severity, description = found.description, uri = found.uri,
      attributes = util.copy(found.attributes or {}),
    }
    counts[severity] = (counts[severity] or 0) + 1
  end
  image.scan = { status = "COMPLETE", completed_at = world:now(), findings = list, counts = counts }
end

--- The scan status of an image as the API shows it, or nil.
function scans.status(image)
  local scan = image.scan
  return scan and {
    status = scan.status, description = scan.status == "COMPLETE" and facts.texts.scan_done or nil,
  }
end

--- The summary of what was found, or nil.
function scans.summary(image)
  local scan = image.scan
  return scan and scan.completed_at and {
    image_scan_completed_at = scan.completed_at, vulnerability_source_updated_at = scan.completed_at,
    finding_severity_counts = util.copy(scan.counts),
  }
end

local function answer(world, repository, image, id)
  return {
    registry_id = world.data.account, repository_name = repository.name,
    image_id = { image_digest = image.digest, image_tag = id.image_tag },
    image_scan_status = scans.status(image),
  }
end

function operations.start_image_scan(world, input)
  local repository = store.repository(world, input)
  local image = store.required(world, repository, input.image_id)
  if manifests.is_index(image.media_type) then
    world:fail("UnsupportedImageTypeException", facts.texts.scan_type:format(image.digest))
  end
  start(world, repository, image)
  return answer(world, repository, image, input.image_id)
end

function operations.describe_image_scan_findings(world, input)
  local repository = store.repository(world, input)
  local image = store.required(world, repository, input.image_id)
  if not image.scan then
    world:fail("ScanNotFoundException", store.text(world, "scan_missing", repository.name,
      image.digest, input.image_id.image_tag or "null"))
  end
  local out, found = answer(world, repository, image, input.image_id), scans.summary(image)
  if found then
    found.findings, out.next_token =
      world:page(image.scan.findings, input.next_token, input.max_results or facts.limits.page)
    out.image_scan_findings = found
  end
  return out
end

scans.operations, scans.handlers = operations, handlers
return scans
