--- What a service was like before it was scaled to zero, kept in one tag of the service: written before
-- anything is changed and removed when everything is back, it survives whatever becomes of the run. One
-- tag is written as a whole or not at all.
--
--     moonbook:scale-to-zero = "v1 desired=3 min=1 max=10 suspended=none at=1767225600 run=20260101-..."
--
-- so that it can be read, and put back by hand, without moonbook. What is saved is a table { desired,
-- scaling, at, run }: `scaling` as lib.scaling gives it, nil when auto scaling did not look after the
-- service; `at` in seconds since 1970; `run` the id of the run.
--
-- Uses: ecs.tag_resource, ecs.untag_resource.

local scaling = require "lib.scaling"

local saved = { KEY = "moonbook:scale-to-zero" }

local LONGEST = 256 -- characters of a tag's value

--- The text of what is saved.
function saved.encode(was)
  local text = ("v1 desired=%d"):format(was.desired)
  if was.scaling then
    text = text
      .. (" min=%d max=%d suspended=%s"):format(
        was.scaling.min,
        was.scaling.max,
        scaling.suspended_words(was.scaling)
      )
  end
  text = text .. (" at=%d run=%s"):format(was.at, was.run)
  assert(#text <= LONGEST and not text:find "[^%w +%-=._:/@]", "this is no value of a tag: " .. text)
  return text
end

local function fields_of(text)
  local fields = {}
  for key, value in text:gmatch "(%a+)=(%S+)" do
    fields[key] = value
  end
  return fields
end

local function count(text)
  return text and text:match "^%d+$" and tonumber(text)
end

--- What a text of saved.encode says, or nil when it says nothing that can be relied on.
function saved.decode(text)
  local fields = fields_of(text)
  local was = { desired = count(fields.desired), at = count(fields.at), run = fields.run }
  local complete = text:match "^v1 " and was.desired and was.desired > 0 and was.at and was.run
  if not complete then
    return nil
  elseif not (fields.min or fields.max or fields.suspended) then
    return was
  end
  local suspended = fields.suspended and scaling.suspended_of(fields.suspended)
  was.scaling = { min = count(fields.min), max = count(fields.max), suspended = suspended }
  local limits = was.scaling.min and was.scaling.max and suspended
  return limits and was or nil
end

--- What the tag of a service says, as services.find gives it with TAGS: nil when there is no such tag;
-- nil and a sentence when it cannot be read.
function saved.of(service)
  for _, tag in ipairs(service.tags or {}) do
    if tag.key == saved.KEY then
      local was = saved.decode(tag.value or "")
      return was,
        not was
            and ("The tag %s of %s cannot be read by this version: \"%s\"."):format(
              saved.KEY,
              service.service_name,
              tag.value or ""
            )
          or nil
    end
  end
  return nil
end

--- Writes the tag.
function saved.put(service_arn, was)
  ecs.tag_resource {
    resource_arn = service_arn,
    tags = { { key = saved.KEY, value = saved.encode(was) } },
  }
end

--- Removes the tag; it need not be there.
function saved.remove(service_arn)
  ecs.untag_resource { resource_arn = service_arn, tag_keys = { saved.KEY } }
end

--- "1 task", "3 tasks"
function saved.count(desired)
  return ("%d task%s"):format(desired, desired == 1 and "" or "s")
end

--- "3 tasks, auto scaling between 1 and 10"
function saved.tell(was)
  return ("%s, %s"):format(saved.count(was.desired), scaling.tell(was.scaling))
end

return saved
