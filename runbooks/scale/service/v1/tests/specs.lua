-- scale/service: the count is set, waited for, and kept within the bounds of auto scaling.

local function service(desired, running)
  return {
    services = {
      {
        service_name = "web",
        status = "ACTIVE",
        desired_count = desired,
        running_count = running,
        pending_count = 0,
      },
    },
  }
end

local function describe(desired, running, times, seconds)
  return {
    operation = "ecs.describe_services",
    output = service(desired, running),
    times = times,
    seconds = seconds,
  }
end

local function bounds(min, max)
  return {
    operation = "application_autoscaling.describe_scalable_targets",
    input = {
      service_namespace = "ecs",
      resource_ids = { "service/shop/web" },
      scalable_dimension = "ecs:service:DesiredCount",
    },
    output = {
      scalable_targets = min and {
        {
          service_namespace = "ecs",
          resource_id = "service/shop/web",
          scalable_dimension = "ecs:service:DesiredCount",
          min_capacity = min,
          max_capacity = max,
        },
      } or {},
    },
  }
end

local function update(desired)
  return {
    operation = "ecs.update_service",
    input = { cluster = "shop", service = "web", desired_count = desired },
    output = { service = service(desired, 1).services[1] },
  }
end

local function args(desired, override)
  return { cluster = "shop", service = "web", desired_count = desired, override = override }
end

return {
  runbook = "scale/service",
  specs = {
    {
      name = "it_waits_until_the_tasks_run",
      args = args(4),
      answers = {
        describe(1, 1),
        bounds(1, 10),
        update(4),
        describe(4, 1, nil, 60),
        describe(4, 3, nil, 60),
        describe(4, 4, 2),
      },
      expect = {
        verdict = "done",
        exit_code = 0,
        message = "web runs 4 tasks now (before: 1)",
        writes = { "ecs.update_service" },
        steps = { "Set the desired count to 4", "Wait for the tasks" },
        checks = {
          ["service is active"] = true,
          ["desired count is set"] = true,
          ["desired tasks run"] = true,
        },
        lines = { "3 of 4 running", "auto scaling looks after web" },
        seconds_at_least = 120,
        seconds_at_most = 140,
      },
    },
    {
      name = "without_auto_scaling_it_works_too",
      args = args(2),
      answers = { describe(1, 1), bounds(), update(2), describe(2, 2, 2) },
      expect = { verdict = "done", exit_code = 0, writes = { "ecs.update_service" } },
    },
    {
      name = "a_service_that_is_there_already_is_left_alone",
      args = args(3),
      answers = { describe(3, 3), bounds(1, 10) },
      expect = {
        verdict = "nothing_to_do",
        exit_code = 0,
        message = "web runs 3 tasks already",
        writes = {},
      },
    },
    {
      name = "a_count_outside_the_bounds_is_refused",
      args = args(20),
      answers = { describe(1, 1), bounds(1, 10) },
      expect = {
        verdict = "refused_by_plan",
        exit_code = 30,
        message = "Auto scaling keeps web between 1 and 10 tasks, and would move 20 back",
        writes = {},
      },
    },
    {
      name = "zero_below_the_bounds_is_refused",
      args = args(0),
      answers = { describe(1, 1), bounds(1, 10) },
      expect = { verdict = "refused_by_plan", exit_code = 30, writes = {} },
    },
    {
      name = "override_goes_outside_the_bounds",
      args = args(0, true),
      answers = {
        describe(1, 1),
        bounds(1, 10),
        update(0),
        describe(0, 1, nil, 20),
        describe(0, 0, 2),
      },
      expect = {
        verdict = "done",
        exit_code = 0,
        message = "web runs 0 tasks now",
        writes = { "ecs.update_service" },
      },
    },
    {
      name = "tasks_that_do_not_come_are_a_timeout",
      args = { cluster = "shop", service = "web", desired_count = 4, wait = 300 },
      answers = { describe(1, 1), bounds(), update(4), describe(4, 2, 0) },
      expect = {
        verdict = "timed_out",
        exit_code = 40,
        message = "web is not there yet after 300 seconds: 2 of 4 running",
        seconds_at_least = 300,
        seconds_at_most = 306,
      },
    },
    {
      name = "a_read_that_lags_is_not_somebody_elses_change",
      args = args(4),
      answers = { describe(1, 1), bounds(), update(4), describe(1, 1, nil, 15), describe(4, 4, 2) },
      expect = { verdict = "done", exit_code = 0 },
    },
    {
      name = "a_count_changed_back_is_superseded",
      args = args(4),
      answers = { describe(1, 1), bounds(), update(4), describe(4, 2, 1), describe(2, 2, 0) },
      expect = {
        verdict = "superseded",
        exit_code = 24,
        message = "The desired count of web is 2 now, not 4",
      },
    },
    {
      name = "a_different_count_seen_once_and_then_nothing_is_not_somebody_elses_change",
      args = args(4),
      answers = {
        describe(1, 1),
        bounds(),
        update(4),
        describe(1, 1, 1), -- a read that lags
        { operation = "ecs.describe_services", network = "ConnectionRefused", seconds = 60 },
        describe(4, 4, 0),
      },
      expect = { verdict = "done", exit_code = 0, writes = { "ecs.update_service" } },
    },
    {
      name = "tasks_still_on_their_way_are_waited_for",
      args = args(2),
      answers = {
        describe(4, 2),
        bounds(),
        update(2),
        {
          operation = "ecs.describe_services",
          seconds = 30,
          output = {
            services = {
              {
                service_name = "web",
                status = "ACTIVE",
                desired_count = 2,
                running_count = 2,
                pending_count = 2,
              },
            },
          },
        },
        describe(2, 2, 0),
      },
      expect = { verdict = "done", exit_code = 0, seconds_at_least = 30 },
    },
    {
      name = "a_read_that_lags_behind_does_not_fail_the_verification",
      args = args(4),
      answers = {
        describe(1, 1),
        bounds(),
        update(4),
        describe(4, 4, 1),
        describe(4, 3, nil, 15), -- older than the read before it
        describe(4, 4, 0),
      },
      expect = { verdict = "done", exit_code = 0 },
    },
    {
      name = "a_count_that_does_not_last_fails_the_verification",
      args = args(4),
      answers = { describe(1, 1), bounds(), update(4), describe(4, 4, 1), describe(2, 2, 0) },
      expect = {
        verdict = "check_failed",
        exit_code = 10,
        message = "2 of 3 checks failed: desired count is set, desired tasks run",
      },
    },
    {
      name = "a_negative_count_is_refused",
      args = args(-1),
      expect = { verdict = "refused_by_plan", exit_code = 30, calls = {} },
    },
    {
      name = "access_denied_is_denied",
      args = args(4),
      answers = {
        describe(1, 1),
        bounds(),
        {
          operation = "ecs.update_service",
          error = { code = "AccessDeniedException", message = "no", status = 400 },
        },
      },
      expect = { verdict = "denied", exit_code = 5 },
    },
    {
      name = "a_service_that_does_not_exist_is_refused",
      args = args(4),
      answers = {
        {
          operation = "ecs.describe_services",
          output = { services = {}, failures = { { arn = "a", reason = "MISSING" } } },
        },
      },
      expect = { verdict = "refused_by_plan", exit_code = 30, message = "There is no service web" },
    },
  },
}
