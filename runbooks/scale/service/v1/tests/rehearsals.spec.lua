-- scale/service on simulated worlds.

local function args(count)
  return { cluster = "aistudio-dev", service = "aistudio-dev", desired_count = count }
end

local function running(count)
  return {
    call = "ecs.describe_services",
    input = { cluster = "aistudio-dev", services = { "aistudio-dev" } },
    at = "services.1.running_count",
    is = count,
  }
end

return {
  {
    name = "scaling out waits until the tasks run",
    world = "service",
    run = { runbook = "scale/service", args = args(3) },
    expect = { verdict = "done", writes = { "ecs.update_service" }, within = "5m", world = { running(3) } },
  },
  {
    name = "a count that is there already changes nothing",
    world = "service",
    run = { runbook = "scale/service", args = args(1) },
    expect = { verdict = "nothing_to_do", calls = { ["ecs.update_service"] = 0 } },
  },
  {
    name = "a count above the auto-scaling bounds is refused",
    world = "service",
    run = { runbook = "scale/service", args = args(9) },
    expect = { verdict = "refused_by_plan", exit_code = 30, calls = { ["ecs.update_service"] = 0 }, world = { running(1) } },
  },
  {
    name = "without capacity it times out and says so",
    world = { "service", { "no_capacity", { service = "aistudio-dev" } } },
    run = { runbook = "scale/service", args = args(2) },
    expect = { verdict = "timed_out", exit_code = 40, world = { running(1) } },
  },
}
