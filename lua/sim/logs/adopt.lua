--- Takes recorded log groups over, empty.

local store = require "sim.logs.store"

--- Makes `recorded` part of the world: {log_groups}.
return function(world, recorded)
  for _, shown in ipairs(recorded.log_groups or {}) do
    local group = store.create(world, shown.log_group_name, {
      class = shown.log_group_class, key = shown.kms_key_id, protected = shown.deletion_protection_enabled,
    })
    group.created = shown.creation_time or group.created
    group.retention = shown.retention_in_days
  end
end
