-- scale/service: what AWS, people and the network do to a run; and what is refused.

local free = { "service", { app = "aistudio", env = "dev", desired = 2, image = "aistudio-dev:v1" } }
local unwritten = { ["ecs.update_service"] = 0 }
local every_check = {
  ["service is active"] = "pass", ["desired count is set"] = "pass", ["desired tasks run"] = "pass",
}

local function run(count, override, wait)
  return {
    runbook = "scale/service",
    args = { cluster = "aistudio-dev", service = "aistudio-dev", desired_count = count, override = override, wait = wait },
  }
end

-- A member of DescribeServices' first service as AWS gives it this time.
local function seen(at, is, after, lasting)
  return { "change_answers", {
    service = "ecs", operation = "describe_services", at = "services.1." .. at, is = is, after = after, lasting = lasting,
  } }
end

-- The counts as the reads after the first `skip` show them, so many times or for ever. The plan makes one read; the
-- wait makes one every five seconds and ends with the first that shows what it waits for.
local function counts(number, skip, times)
  local changes, members = {}, { "desired_count", "running_count", "pending_count" }
  for index = 1, #members do
    changes[index] = { "change_answers", {
      service = "ecs", operation = "describe_services", at = "services.1." .. members[index],
      is = members[index] == "pending_count" and 0 or number, skip = skip, count = times,
    } }
  end
  return changes
end

-- The service without auto scaling, with these changes of its counts one after the other.
local function with_counts(...)
  local lists, world = { ... }, { free }
  for i = 1, #lists do
    for j = 1, #lists[i] do
      world[#world + 1] = lists[i][j]
    end
  end
  return world
end

return {
  {
    name = "it says what it waits for and checks what came of it",
    world = "service",
    run = run(3),
    expect = {
      verdict = "done", exit_code = 0, message = "aistudio-dev runs 3 tasks now (before: 1)",
      steps = { "Set the desired count to 3", "Wait for the tasks" }, checks = every_check, takes = 20,
      lines = { "1 of 3 running", "auto scaling looks after aistudio-dev" }, writes = { "ecs.update_service" },
    },
  },
  {
    name = "without auto scaling it works too",
    world = { free },
    run = run(4),
    expect = { verdict = "done", checks = every_check, writes = { "ecs.update_service" } },
  },
  {
    name = "a count that is there already is said",
    world = "service",
    run = run(1),
    expect = { verdict = "nothing_to_do", exit_code = 0, message = "aistudio-dev runs 1 tasks already" },
  },
  {
    name = "a count above the bounds is refused with the bounds",
    world = "service",
    run = run(20),
    expect = {
      verdict = "refused_by_plan", calls = unwritten,
      message = "Auto scaling keeps aistudio-dev between 1 and 3 tasks, and would move 20 back",
    },
  },
  {
    name = "zero below the bounds is refused",
    world = "service",
    run = run(0),
    expect = { verdict = "refused_by_plan", exit_code = 30, calls = unwritten },
  },
  {
    name = "override goes outside the bounds",
    world = "service",
    run = run(0, true),
    expect = { verdict = "done", message = "aistudio-dev runs 0 tasks now", writes = { "ecs.update_service" } },
  },
  {
    name = "tasks that do not come are a timeout that says how many run",
    world = { free, { "no_capacity", { service = "aistudio-dev" } } },
    run = run(4, nil, 300),
    expect = {
      verdict = "timed_out", exit_code = 40, message = "is not there yet after 300 seconds: 2 of 4 running",
      takes = 300, within = 310,
    },
  },
  {
    name = "a read that lags is not somebody else's change",
    world = { free, { "lag_reads", { service = "ecs", by = "15s" } } },
    run = run(4),
    expect = { verdict = "done", checks = every_check, lines = { "2 of 2 running" } },
  },
  {
    name = "a count that somebody changes back is superseded",
    world = {
      free,
      { "at", { time = "10s", command = "someone_calls", args = {
        service = "ecs", operation = "update_service",
        input = { cluster = "aistudio-dev", service = "aistudio-dev", desired_count = 1 },
      } } },
    },
    run = run(4),
    expect = {
      verdict = "superseded", exit_code = 24, message = "The desired count of aistudio-dev is 1 now, not 4",
    },
  },
  {
    name = "a different count seen once and then nothing is not somebody else's change",
    world = {
      free, seen("desired_count", 2, nil, "3s"),
      { "reset_calls", { service = "ecs", after = "3s", lasting = "60s" } },
    },
    run = run(4),
    expect = { verdict = "done", lines = { "cannot read the service just now" }, writes = { "ecs.update_service" } },
  },
  {
    name = "tasks still on their way are waited for",
    world = { free, seen("pending_count", 2, "1s", "60s") },
    run = run(1),
    expect = { verdict = "done", checks = every_check, takes = 60 },
  },
  {
    name = "a negative count is refused before anything is asked",
    world = "service",
    run = run(-1),
    expect = { verdict = "refused_by_plan", exit_code = 30, at_most = 0 },
  },
  {
    name = "a service of one task on each instance is refused",
    world = { free, seen("scheduling_strategy", "DAEMON") },
    run = run(4),
    expect = { verdict = "refused_by_plan", message = "it has no count", calls = unwritten },
  },
  {
    name = "a service deleted meanwhile is a failure",
    world = { free, seen("status", "DRAINING", "5s") },
    run = run(4),
    expect = { verdict = "failed", exit_code = 22, message = "is DRAINING, not ACTIVE" },
  },
  {
    name = "a write that is denied is denied",
    world = { free, { "deny_calls", { action = "ecs:UpdateService" } } },
    run = run(4),
    expect = { verdict = "denied", exit_code = 5 },
  },
  {
    name = "a service that does not exist is refused",
    world = "empty",
    run = run(4),
    expect = { verdict = "refused_by_plan", message = "There is no cluster aistudio-dev" },
  },
  {
    name = "a read that lags behind does not fail the verification",
    world = with_counts(counts(4, 8, 1)), -- once, and again only when the last task runs
    run = run(4),
    expect = { verdict = "done", exit_code = 0, checks = every_check, calls = { ["ecs.describe_services"] = { at_least = 11 } } },
  },
  {
    name = "a count that does not last fails the verification",
    world = with_counts(counts(4, 1, 1), counts(2, 2)),
    run = run(4),
    expect = {
      verdict = "check_failed", exit_code = 10,
      message = "2 of 3 checks failed: desired count is set, desired tasks run",
    },
  },
}
