--- The limits that auto scaling keeps a service's desired count between, and what of it is suspended:
-- { min, max, suspended = { scaling_in, scaling_out, scheduled } }, the latter booleans.
--
-- Uses: application_autoscaling.describe_scalable_targets,
-- application_autoscaling.register_scalable_target.

local scaling = {}

local KINDS = { -- our name, AWS's name, and the word in texts
  { "scaling_in", "dynamic_scaling_in_suspended", "in" },
  { "scaling_out", "dynamic_scaling_out_suspended", "out" },
  { "scheduled", "scheduled_scaling_suspended", "scheduled" },
}

-- The members that name what is scaled. Cluster and service may be given as ARNs; auto scaling wants
-- their names.
local function resource(args)
  return ("service/%s/%s"):format(args.cluster:match "[^/]+$", args.service:match "[^/]+$")
end

local DIMENSION = "ecs:service:DesiredCount"

--- How auto scaling looks after the service now, or nil when it does not. A denied read is raised: limits
-- that cannot be read could not be put back.
function scaling.read(args)
  local answer = application_autoscaling.describe_scalable_targets {
    service_namespace = "ecs",
    resource_ids = { resource(args) },
    scalable_dimension = DIMENSION,
  }
  local target = (answer.scalable_targets or {})[1]
  if not target then
    return nil
  end
  local suspended = {}
  for _, kind in ipairs(KINDS) do
    suspended[kind[1]] = (target.suspended_state or {})[kind[2]] == true
  end
  return { min = target.min_capacity, max = target.max_capacity, suspended = suspended }
end

--- Makes it so: limits and what is suspended in one call, which happens as a whole or not at all.
function scaling.set(args, wanted)
  local suspended = {}
  for _, kind in ipairs(KINDS) do
    suspended[kind[2]] = wanted.suspended[kind[1]]
  end
  application_autoscaling.register_scalable_target {
    service_namespace = "ecs",
    resource_id = resource(args),
    scalable_dimension = DIMENSION,
    min_capacity = wanted.min,
    max_capacity = wanted.max,
    suspended_state = suspended,
  }
end

--- What keeps a service at zero: a minimum of 0 and everything suspended.
function scaling.held(was)
  return { min = 0, max = was.max, suspended = { scaling_in = true, scaling_out = true, scheduled = true } }
end

--- Whether two are the same; nil is the same as nil only.
function scaling.equal(a, b)
  if not a or not b then
    return a == b
  end
  for _, kind in ipairs(KINDS) do
    if a.suspended[kind[1]] ~= b.suspended[kind[1]] then
      return false
    end
  end
  return a.min == b.min and a.max == b.max
end

--- Whether auto scaling itself may have set this desired count.
function scaling.may_set(now, desired)
  local suspended = now and now.suspended
  local all = suspended and suspended.scaling_in and suspended.scaling_out and suspended.scheduled
  return now ~= nil and not all and desired >= now.min and desired <= now.max
end

--- What is suspended, in one word: "none", "in.out.scheduled".
function scaling.suspended_words(now)
  local words = {}
  for _, kind in ipairs(KINDS) do
    if now.suspended[kind[1]] then
      words[#words + 1] = kind[3]
    end
  end
  return #words > 0 and table.concat(words, ".") or "none"
end

--- What such a word says, or nil when it is none.
function scaling.suspended_of(text)
  local suspended = {}
  for _, kind in ipairs(KINDS) do
    suspended[kind[1]] = ("." .. text .. "."):find("." .. kind[3] .. ".", 1, true) ~= nil
  end
  return scaling.suspended_words { suspended = suspended } == text and suspended or nil
end

--- "auto scaling between 1 and 10", "without auto scaling"
function scaling.tell(now)
  if not now then
    return "without auto scaling"
  end
  local words = scaling.suspended_words(now)
  return ("auto scaling between %d and %d%s"):format(
    now.min,
    now.max,
    words == "none" and "" or (" (suspended: %s)"):format((words:gsub("%.", ", ")))
  )
end

return scaling
