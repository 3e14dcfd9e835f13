-- rollback/scale_to_zero may be interrupted anywhere: whatever a first run came to, a second one leaves
-- the world as it was before: count, limits of auto scaling, what of it is suspended, and tags.
--
-- Three ways to interrupt, each tried at every place where it makes a difference:
--   denied  a write does not take effect, and the run ends there
--   cut     a write takes effect (three times, being tried again), but its answer never arrives
--   gone    after N calls the network is gone, as if the process had been killed there

local names = { cluster = "shop-prod", service = "shop-prod" }

local function args(action)
  return { cluster = "shop-prod", service = "shop-prod", action = action, wait = 300 }
end

local function run(action)
  return { runbook = "rollback/scale_to_zero", args = args(action) }
end

-- Three tasks of two to eight, where somebody has suspended scheduled scaling.
local balanced = {
  { "service", {
    app = "shop", env = "prod", desired = 3, image = "shop:v1", load_balancer = true, autoscaling = { min = 2, max = 8 },
  } },
  { "someone_calls", {
    service = "application_autoscaling", operation = "register_scalable_target",
    input = {
      service_namespace = "ecs", resource_id = "service/shop-prod/shop-prod", scalable_dimension = "ecs:service:DesiredCount",
      suspended_state = { scheduled_scaling_suspended = true },
    },
  } },
}

local function service_has(at, is)
  return {
    call = "ecs.describe_services",
    input = { cluster = names.cluster, services = { names.service }, include = { "TAGS" } },
    at = "services.1." .. at,
    is = is,
  }
end

local function limits(at, is)
  return {
    call = "application_autoscaling.describe_scalable_targets",
    input = { service_namespace = "ecs" },
    at = "scalable_targets.1." .. at,
    is = is,
  }
end

local as_before = {
  service_has("desired_count", 3),
  service_has("running_count", 3),
  service_has("pending_count", 0),
  service_has("tags", { { key = "Environment", value = "prod" } }),
  limits("min_capacity", 2),
  limits("max_capacity", 8),
  limits("suspended_state", {
    dynamic_scaling_in_suspended = false,
    dynamic_scaling_out_suspended = false,
    scheduled_scaling_suspended = true,
  }),
}

local calm = { "calm", {} }

-- Every write of a cycle: what it is, its operation, how many of that operation come before it, and
-- whether a restore has anything left to do when it has, or has not, taken effect.
local writes = {
  { "saving", "ecs", "tag_resource", 0, denied = "nothing_to_do", cut = "done" },
  { "suspending auto scaling", "application_autoscaling", "register_scalable_target", 0, denied = "done", cut = "done" },
  { "scaling to zero", "ecs", "update_service", 0, denied = "done", cut = "done" },
  { "restoring the count", "ecs", "update_service", 1, denied = "done", cut = "done" },
  { "restoring auto scaling", "application_autoscaling", "register_scalable_target", 1, denied = "done", cut = "done" },
  { "forgetting", "ecs", "untag_resource", 0, denied = "done", cut = "nothing_to_do" },
}

local troubles = { denied = "deny_calls", cut = "cut_answers" }
local ends = { denied = "denied", cut = "failed" }

local function trouble(write, how)
  local fields = { service = write[2], operation = write[3], skip = write[4] }
  if how == "cut" then
    fields.bytes = 1
  end
  return { troubles[how], fields }
end

local specs = {}

local function add(name, runs)
  specs[#specs + 1] = { name = name, world = balanced, runs = runs }
end

local function add_for(write, how)
  local broken = { world = { trouble(write, how) }, run = run "cycle", expect = { verdict = ends[how] } }
  local when = write[1] .. " is " .. how
  add("when " .. when .. ", restore leaves everything as it was", {
    broken,
    { world = { calm }, run = run "restore", expect = { verdict = write[how], world = as_before } },
  })
  add("when " .. when .. ", the same run again leaves everything as it was", {
    broken,
    { world = { calm }, run = run "cycle", expect = { world = as_before } },
  })
  add("when " .. when .. ", stopping again does not forget the count", {
    broken,
    { world = { calm }, run = run "stop", expect = { world = { service_has("running_count", 0) } } },
    { run = run "restore", expect = { world = as_before } },
  })
end

for index = 1, #writes do
  add_for(writes[index], "denied")
  add_for(writes[index], "cut")
end

-- The same for the restore of a service that was stopped: a second restore finishes the first. The
-- stop's own calls are over by then, so none come before.
local function add_restore(write, how)
  local alone = { write[1], write[2], write[3], 0 }
  add("when " .. write[1] .. " is " .. how .. " in a restore, another restore finishes it", {
    { run = run "stop", expect = { world = { service_has("running_count", 0), limits("min_capacity", 0) } } },
    { world = { trouble(alone, how) }, run = run "restore", expect = { verdict = ends[how] } },
    { world = { calm }, run = run "restore", expect = { verdict = write[how], world = as_before } },
  })
end

for index = 4, #writes do
  add_restore(writes[index], "denied")
  add_restore(writes[index], "cut")
end

-- The network goes after each of the first calls, to where the waiting begins, then after every third,
-- and again after each of the last ones. A look of the first wait makes five calls, one of the second six or
-- seven: every place in them is met. That there are no more calls is a spec of its own.
local numbers = {}

local function count(from, to, by)
  for calls = from, to, by do
    numbers[#numbers + 1] = calls
  end
end

local last = 166
count(0, 30, 1)
count(33, 147, 3)
count(148, last, 1)

add("gone after so many calls, restore leaves everything as it was", {
  { world = { { "reset_calls", { skip = "$each" } } }, run = run "cycle" },
  {
    world = { calm },
    run = run "restore",
    expect = { verdict = { "done", "nothing_to_do" }, world = as_before },
  },
})
specs[#specs].each = numbers

add("a cycle that is not interrupted makes no more calls than were interrupted", {
  { run = run "cycle", expect = { at_most = last, world = as_before } },
})

-- While connections drain and tasks stop: what is restored starts beside them.
local function add_impatient(seconds)
  local fields = args "cycle"
  fields.wait = seconds
  add("given up after " .. seconds .. " seconds of waiting, restore leaves everything as it was", {
    {
      run = { runbook = "rollback/scale_to_zero", args = fields },
      expect = { verdict = "timed_out", exit_code = 40, world = { service_has("desired_count", 0) } },
    },
    { run = run "restore", expect = { world = as_before } },
  })
end

for seconds = 5, 85, 10 do
  add_impatient(seconds)
end

return specs
