-- ecs.follow_deployments: several deployments, few calls, each with an end of its own.

local function service(app)
  return { "service", { app = app, env = "dev", cluster = "c", image = app .. "-dev:v1" } }
end

local function deploy(app)
  return { "deploy", { app = app, env = "dev", cluster = "c", image = app .. "-dev:v2" } }
end

local function image(app, start, crash)
  return { "image", { name = app .. "-dev:v2", start = start, crash = crash } }
end

local crash = { exit = 1, after = "8s" }

return {
  {
    name = "each has an end of its own",
    world = { service "one", service "two", image "one", image("two", nil, crash), deploy "one", deploy "two" },
    run = { runbook = "follow/several" },
    expect = { checks = { ["one-dev: completed"] = "pass", ["two-dev: rolled_back"] = "pass" } },
  },
  {
    name = "the end of one's time does not end the other",
    world = { service "one", service "two", image("one", "30m"), image "two", deploy "one", deploy "two" },
    run = { runbook = "follow/several", args = { first_wait = 40 } },
    expect = { checks = { ["one-dev: timed_out"] = "pass", ["two-dev: completed"] = "pass" } },
  },
  {
    name = "two cost hardly more calls than one",
    world = { service "one", service "two", image "one", image "two", deploy "one", deploy "two" },
    run = { runbook = "follow/several" },
    expect = { at_most = 34, checks = { ["one-dev: completed"] = "pass", ["two-dev: completed"] = "pass" } },
  },
}
