-- Worlds, and what must be said of them. Nothing here touches AWS, and the clock is simulated. Try:
--
--     moonbook test examples/runbooks/monitor/cluster

local run = { runbook = "monitor/cluster", args = { cluster = "shop" } }

-- A service in the cluster: each has a name of its own.
local function service(env)
  return { "service", { app = "shop", env = env, cluster = "shop", image = "shop:v1", desired = 2 } }
end

return {
  {
    name = "every service has its tasks",
    world = { service "api", service "web", service "jobs" },
    run = run,
    expect = {
      verdict = "done",
      message = "3 services in shop, 0 short of tasks.",
      checks = { ["every service has its tasks"] = "pass" },
    },
  },
  {
    name = "every page of the listing is read",
    -- ListServices gives ten services a page.
    world = {
      service "a", service "b", service "c", service "d", service "e", service "f",
      service "g", service "h", service "i", service "j", service "k",
    },
    run = run,
    expect = {
      message = "11 services in shop, 0 short of tasks.",
      calls = { ["ecs.list_services"] = 2, ["ecs.describe_services"] = 2 },
    },
  },
  {
    name = "a service short of tasks fails",
    world = { service "web", service "api", { "stop_tasks", { service = "shop-api", cluster = "shop", count = 1 } },
      { "no_capacity", { service = "shop-api" } }, { "advance", { time = "2m" } } },
    run = run,
    expect = {
      verdict = "check_failed",
      exit_code = 10,
      checks = { ["every service has its tasks"] = "fail" },
      lines = { "shop-api" },
    },
  },
}
