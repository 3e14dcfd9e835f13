--- Whether the deployment can move: minimum and maximum percent against the desired count, and what the
-- service's events say of placing tasks. Reads nothing but the described service.

local subject = {}

local function judge_percentages(pass)
  if pass:strategy() ~= "ROLLING" then
    return -- the new version runs in full beside the old one
  end
  local b = pass:bounds()
  local range = ("minimum %d%%, maximum %d%% of %d: between %d and %d tasks"):format(
    b.minimum,
    b.maximum,
    b.desired,
    b.lower,
    b.upper
  )
  local moves = b.desired == 0 or b.upper > b.desired or b.lower < b.desired
  pass:require(
    "percentages let it move",
    moves,
    moves and range
      or range
        .. "; ECS may neither start a task nor stop one: raise maximum_percent or lower minimum_healthy_percent "
        .. "of the service's deployment_configuration",
    b
  )
  if not moves or b.desired == 0 then
    return
  end
  pass:advise(
    "service during the rollout",
    b.lower > 0,
    b.lower > 0 and ("at least %d tasks serve"):format(b.lower)
      or range .. (b.upper > b.desired and "; all of them may be stopped before a new one is healthy"
        or "; every task is stopped before a new one starts: an outage")
  )
end

-- What the service's events of the last hour say of placing tasks. They stand newest first.
local PLACEMENT = { "reached the limit", "Capacity is unavailable", "is not supported in" }
local RECENT = 3600

local function judge_placement(pass)
  for _, event in ipairs(pass.service.events or {}) do
    for _, words in ipairs(PLACEMENT) do
      local recent = (event.created_at or 0) > now() - RECENT
      if recent and event.message:find("unable to place", 1, true) and event.message:find(words, 1, true) then
        pass:advise("placing of tasks", false, event.message)
        return
      end
    end
  end
  pass:advise("placing of tasks", true, "no trouble in the events of the last hour")
end

function subject.judge(pass)
  judge_percentages(pass)
  judge_placement(pass)
end

return subject
