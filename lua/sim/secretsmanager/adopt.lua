--- Takes recorded secrets over: their names and versions, and a value that says nothing.

local util = require "sim.util"

local hidden = "redacted"

local function versions_of(world, shown)
  local list = {}
  for id, stages in util.sorted_pairs(shown.version_ids_to_stages or {}) do
    list[#list + 1] = { id = id, string = hidden, created = shown.last_changed_date or world:now(),
      stages = util.copy(stages) }
  end
  return list
end

--- Makes `recorded` part of the world: {secrets}, as DescribeSecret shows each.
return function(world, recorded)
  local list = world:state("secretsmanager").secrets
  for _, shown in ipairs(recorded.secrets or {}) do
    local tags = {}
    for _, tag in ipairs(shown.tags or {}) do
      tags[tag.key] = tag.value or ""
    end
    list[#list + 1] = {
      name = shown.name, arn = shown.arn, description = shown.description, key = shown.kms_key_id,
      created_at = shown.created_date, changed_at = shown.last_changed_date, accessed_at = shown.last_accessed_date,
      deleted_at = shown.deleted_date, tags = tags, versions = versions_of(world, shown),
    }
  end
end
