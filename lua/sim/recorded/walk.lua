--- Walking a recorded world: its containers, the images that ran, the addresses of its tasks.

local util = require "sim.util"

local walk = {}

--- Calls `visit(container, task definition)` for each container of each recorded task definition.
function walk.containers(file, visit)
  for _, found in ipairs(file.ecs.task_definitions or {}) do
    for _, container in ipairs(found.task_definition.container_definitions) do
      visit(container, found.task_definition)
    end
  end
end

--- Calls `visit(container, ARN of the task definition)` for each container of the revisions, the oldest first, and
-- then of the tasks; a container has `image` and may have `image_digest`.
function walk.images(file, visit)
  local revisions = util.copy(file.ecs.service_revisions or {})
  table.sort(revisions, function(a, b) return a.created_at < b.created_at end)
  for _, list in ipairs { revisions, file.ecs.tasks or {} } do
    for _, thing in ipairs(list) do
      for _, container in ipairs(thing.container_images or thing.containers or {}) do
        visit(container, thing.task_definition or thing.task_definition_arn)
      end
    end
  end
end

--- What the attachment with a task's address says: {subnetId, privateIPv4Address, ...}; empty when there is none.
function walk.attached(task)
  for _, attachment in ipairs(task.attachments or {}) do
    local out = {}
    for _, pair in ipairs(attachment.details or {}) do
      out[pair.name or ""] = pair.value
    end
    if out.privateIPv4Address then
      return out
    end
  end
  return {}
end

return walk
