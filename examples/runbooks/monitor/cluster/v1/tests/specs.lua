-- What AWS answers, and what must come of it. Nothing here touches AWS, and no time passes.

local function service(name, running)
  return { service_name = name, status = "ACTIVE", desired_count = 2, running_count = running }
end

local function listing(first, second, token)
  return {
    operation = "ecs.list_services",
    input = { cluster = "shop" },
    output = { service_arns = { first, second }, next_token = token },
  }
end

return {
  runbook = "monitor/cluster",
  path = "examples/runbooks",
  specs = {
    {
      name = "every_page_of_the_listing_is_read",
      args = { cluster = "shop" },
      answers = {
        listing("web", "api", "more"),
        listing("jobs"),
        {
          operation = "ecs.describe_services",
          input = { cluster = "shop", services = { "web", "api", "jobs" } },
          output = { services = { service("web", 2), service("api", 2), service("jobs", 2) } },
        },
      },
      expect = {
        verdict = "done",
        exit_code = 0,
        message = "3 services in shop, 0 short of tasks.",
        checks = { ["every service has its tasks"] = true },
        writes = {},
      },
    },
    {
      name = "a_service_short_of_tasks_fails",
      args = { cluster = "shop" },
      answers = {
        listing("web", "api"),
        {
          operation = "ecs.describe_services",
          output = { services = { service("web", 2), service("api", 1) } },
        },
      },
      expect = {
        verdict = "check_failed",
        exit_code = 10,
        checks = { ["every service has its tasks"] = false },
        lines = { "api" },
      },
    },
  },
}
