-- deploy/restart: what ECS may do with a forced deployment, and what must be said of it. Times are
-- those of the virtual clock, which starts at 1795442400.

local OLD, OURS, THEIRS = "ecs-svc/1111", "ecs-svc/2222", "ecs-svc/3333"
local WEB = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:"

-- A deployment of two tasks, as DescribeServices lists it.
local function deployment(id, status, state, running, reason)
  return {
    id = id,
    status = status,
    rollout_state = state,
    rollout_state_reason = reason,
    desired_count = status == "PRIMARY" and 2 or 0,
    running_count = running,
    pending_count = 0,
    failed_tasks = 0,
    task_definition = WEB .. (id == THEIRS and "8" or "7"),
    created_at = id == OLD and 1795440000 or id == OURS and 1795442401 or 1795442460,
  }
end

-- The service as it is with those deployments.
local function service(running, first, second, events)
  return {
    services = {
      {
        service_name = "web",
        status = "ACTIVE",
        desired_count = 2,
        running_count = running,
        pending_count = 0,
        task_definition = WEB .. "7",
        deployments = { first, second },
        events = events or {},
      },
    },
  }
end

local function describe(output, times, seconds)
  return { operation = "ecs.describe_services", output = output, times = times, seconds = seconds }
end

local function failing(code, message, status)
  return {
    operation = "ecs.describe_services",
    error = { code = code, message = message, status = status },
  }
end

local old_completed = deployment(OLD, "PRIMARY", "COMPLETED", 2)
local old_active = deployment(OLD, "ACTIVE", "COMPLETED", 2)
local before = service(2, old_completed)
local started = service(2, deployment(OURS, "PRIMARY", "IN_PROGRESS", 0), old_active)
local half = service(3, deployment(OURS, "PRIMARY", "IN_PROGRESS", 1), old_active)
local done = service(2, deployment(OURS, "PRIMARY", "COMPLETED", 2))

-- The write, checked member by member, answered with our new deployment.
local update = {
  operation = "ecs.update_service",
  input = { cluster = "shop", service = "web", force_new_deployment = true },
  output = { service = started.services[1] },
}

local ARGS = { cluster = "shop", service = "web" }
local STEPS = { "Start a new deployment", "Follow it to its end" }

local TRIPPED = "ECS deployment circuit breaker: tasks failed to start."
local RESTORING = "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1111."
local tripped = service(
  2,
  deployment(OLD, "PRIMARY", "IN_PROGRESS", 2, RESTORING),
  deployment(OURS, "ACTIVE", "FAILED", 0, TRIPPED)
)

-- The old deployment, restored, as if it had been made only then.
local restored = deployment(OLD, "PRIMARY", "COMPLETED", 2)
restored.created_at = 1795442460

-- Ours, after somebody has set the count to zero.
local scaled_to_zero = service(0, deployment(OURS, "PRIMARY", "COMPLETED", 0))
scaled_to_zero.services[1].desired_count = 0
scaled_to_zero.services[1].deployments[1].desired_count = 0

return {
  runbook = "deploy/restart",
  specs = {
    {
      name = "a_restart_is_followed_to_its_end",
      args = ARGS,
      answers = {
        describe(before),
        update,
        describe(started, nil, 60),
        describe(half, nil, 600),
        describe(service(4, deployment(OURS, "PRIMARY", "IN_PROGRESS", 2), old_active), nil, 240),
        describe(done, 2),
      },
      expect = {
        verdict = "done",
        exit_code = 0,
        message = "web runs web:7: deployment ecs-svc/2222 is complete, 2 of 2 tasks running",
        steps = STEPS,
        writes = { "ecs.update_service" },
        calls = { "ecs.describe_services", "ecs.update_service", "ecs.describe_services" },
        checks = {
          ["service is active"] = true,
          ["our deployment is the primary one"] = true,
          ["desired tasks run"] = true,
        },
        lines = { "0 of 2 running", "1 of 2 running", "2 of 2 running" },
        seconds_at_least = 900,
        seconds_at_most = 960,
      },
    },
    {
      name = "breaker_rollback_is_not_success",
      args = ARGS,
      answers = {
        describe(before),
        update,
        describe(started, nil, 300),
        describe(tripped, nil, 60),
        describe(before, 1),
      },
      expect = {
        verdict = "rolled_back",
        exit_code = 23,
        message = "ECS rolled web back: web:7 did not come up: "
          .. "ECS deployment circuit breaker: tasks failed to start; web:7 (ecs-svc/1111) runs again",
        writes = { "ecs.update_service" },
        checks = {},
        lines = { "ECS is rolling web back" },
      },
    },
    {
      name = "a_rollback_that_was_over_before_the_next_look_is_not_success",
      args = ARGS,
      answers = { describe(before), update, describe(started, 1), describe(before, nil, 90) },
      expect = {
        verdict = "rolled_back",
        exit_code = 23,
        message = "ecs-svc/1111",
        seconds_at_least = 60,
        seconds_at_most = 90,
      },
    },
    {
      name = "failure_without_rollback_is_failure",
      args = ARGS,
      answers = {
        describe(before),
        update,
        describe(started, 1),
        describe(
          service(2, deployment(OURS, "PRIMARY", "FAILED", 0, TRIPPED), old_active),
          nil,
          120
        ),
      },
      expect = {
        verdict = "failed",
        exit_code = 22,
        message = "circuit breaker: tasks failed to start, and ECS did not roll it back",
        writes = { "ecs.update_service" },
      },
    },
    {
      name = "a_newer_deployment_is_superseded_not_success",
      args = ARGS,
      answers = {
        describe(before),
        update,
        describe(started, nil, 30),
        describe(
          service(
            2,
            deployment(THEIRS, "PRIMARY", "IN_PROGRESS", 0),
            deployment(OURS, "ACTIVE", "IN_PROGRESS", 1)
          ),
          1
        ),
      },
      expect = {
        verdict = "superseded",
        exit_code = 24,
        message = "Another deployment of web, ecs-svc/3333 (web:8), took the place of ecs-svc/2222",
      },
    },
    {
      name = "a_newer_deployment_that_is_complete_is_superseded_not_success",
      args = ARGS,
      answers = {
        describe(before),
        update,
        describe(started, 1),
        describe(service(2, deployment(THEIRS, "PRIMARY", "COMPLETED", 2)), 1),
      },
      expect = { verdict = "superseded", exit_code = 24, message = "ecs-svc/3333" },
    },
    {
      name = "a_deployment_still_under_way_at_the_end_is_a_timeout",
      args = { cluster = "shop", service = "web", wait = 900 },
      answers = { describe(before), update, describe(half, 0) },
      expect = {
        verdict = "timed_out",
        exit_code = 40,
        message = "still under way after 900 seconds (1 of 2 running)",
        seconds_at_least = 900,
        seconds_at_most = 902,
        writes = { "ecs.update_service" },
      },
    },
    {
      name = "the_deadline_of_the_run_is_a_timeout_too",
      args = ARGS,
      timeout = 60,
      answers = { describe(before), update, describe(half, 0) },
      expect = {
        verdict = "timed_out",
        exit_code = 40,
        message = 'ran out of time in apply. What it had begun stays as it is: step 1 "Start a new '
          .. 'deployment" is done, step 2 "Follow it to its end" was under way.',
        seconds_at_least = 60,
        seconds_at_most = 61,
      },
    },
    {
      name = "a_read_that_lags_is_not_done",
      args = ARGS,
      answers = {
        describe(before),
        update,
        describe(before, nil, 20), -- what was before the write: stable, and not ours
        describe(half, nil, 60),
        describe(done, 2),
      },
      expect = {
        verdict = "done",
        exit_code = 0,
        lines = { "not listed yet" },
        seconds_at_least = 80,
      },
    },
    {
      name = "completed_with_old_tasks_still_running_is_not_done",
      args = ARGS,
      answers = {
        describe(before),
        update,
        describe(
          service(
            4,
            deployment(OURS, "PRIMARY", "COMPLETED", 2),
            deployment(OLD, "ACTIVE", "COMPLETED", 2)
          ),
          nil,
          45
        ),
        describe(done, 2),
      },
      expect = { verdict = "done", exit_code = 0, seconds_at_least = 45 },
    },
    {
      name = "completed_with_too_few_tasks_is_not_done",
      args = { cluster = "shop", service = "web", wait = 120 },
      answers = {
        describe(before),
        update,
        describe(service(1, deployment(OURS, "PRIMARY", "COMPLETED", 1)), 0),
      },
      expect = { verdict = "timed_out", exit_code = 40 },
    },
    {
      name = "done_and_then_replaced_fails_the_verification",
      args = ARGS,
      answers = {
        describe(before),
        update,
        describe(done, 1),
        describe(service(2, deployment(THEIRS, "PRIMARY", "IN_PROGRESS", 0)), 1),
      },
      expect = {
        verdict = "check_failed",
        exit_code = 10,
        message = "1 of 3 checks failed: our deployment is the primary one",
      },
    },
    {
      name = "an_answer_without_a_new_deployment_is_not_success",
      args = ARGS,
      answers = {
        describe(before),
        { operation = "ecs.update_service", output = { service = before.services[1] } },
      },
      expect = {
        verdict = "failed",
        exit_code = 22,
        message = "ECS accepted the update of web but started no new deployment",
        writes = { "ecs.update_service" },
      },
    },
    {
      name = "an_answer_without_a_service_is_not_success",
      args = ARGS,
      answers = { describe(before), { operation = "ecs.update_service", output = {} } },
      expect = { verdict = "failed", exit_code = 22, message = "started no new deployment" },
    },
    {
      name = "a_read_that_lags_behind_does_not_fail_the_verification",
      args = ARGS,
      answers = {
        describe(before),
        update,
        describe(done, 1),
        describe(half, nil, 20), -- older than the read before it
        describe(done, 0),
      },
      expect = { verdict = "done", exit_code = 0, seconds_at_most = 40 },
    },
    {
      name = "no_network_for_a_moment_does_not_fail_the_verification",
      args = ARGS,
      answers = {
        describe(before),
        update,
        describe(done, 1),
        { operation = "ecs.describe_services", network = "ConnectionRefused", seconds = 20 },
        describe(done, 0),
      },
      expect = { verdict = "done", exit_code = 0 },
    },
    {
      name = "tasks_that_stop_after_the_deployment_fail_the_verification",
      args = ARGS,
      answers = {
        describe(before),
        update,
        describe(done, 1),
        describe(service(1, deployment(OURS, "PRIMARY", "COMPLETED", 1)), 0),
      },
      expect = {
        verdict = "check_failed",
        exit_code = 10,
        message = "1 of 3 checks failed: desired tasks run",
        lines = { "1 of 2 running" },
      },
    },
    {
      name = "scaled_to_zero_meanwhile_proves_nothing",
      args = ARGS,
      answers = { describe(before), update, describe(started, 1), describe(scaled_to_zero, 0) },
      expect = {
        verdict = "check_failed",
        exit_code = 10,
        message = "desired tasks run",
        lines = { "the service is scaled to zero" },
      },
    },
    {
      name = "gone_for_one_read_and_then_out_of_sight_is_no_end",
      args = ARGS,
      answers = {
        describe(before),
        update,
        describe(started, 1),
        describe({ services = {}, failures = { { arn = "a", reason = "MISSING" } } }, 1),
        { operation = "ecs.describe_services", network = "ConnectionRefused", seconds = 120 },
        describe(done, 0),
      },
      expect = { verdict = "done", exit_code = 0 },
    },
    {
      -- Whatever time ECS puts on it then, a deployment that was there before ours is not newer.
      name = "a_rollback_to_what_was_there_before_is_not_somebody_elses",
      args = ARGS,
      answers = {
        describe(before),
        update,
        describe(started, 1),
        describe(service(2, restored, deployment(OURS, "ACTIVE", "FAILED", 0, TRIPPED)), 0),
      },
      expect = {
        verdict = "rolled_back",
        exit_code = 23,
        message = "circuit breaker: tasks failed to start; web:7 (ecs-svc/1111) runs again",
      },
    },
    {
      name = "a_rollback_that_was_over_at_once_is_not_somebody_elses",
      args = ARGS,
      answers = { describe(before), update, describe(started, 1), describe(service(2, restored), 0) },
      expect = { verdict = "rolled_back", exit_code = 23, message = "ecs-svc/1111" },
    },
    {
      name = "access_denied_to_the_write_changes_nothing",
      args = ARGS,
      answers = {
        describe(before),
        {
          operation = "ecs.update_service",
          error = {
            code = "AccessDeniedException",
            message = "User: x is not authorized to perform: ecs:UpdateService",
            status = 400,
          },
        },
      },
      expect = {
        verdict = "denied",
        exit_code = 5,
        message = "ecs:UpdateService",
        steps = { "Start a new deployment" },
        where = "runbook.lua:",
      },
    },
    {
      name = "a_write_without_an_answer_is_not_safe_to_try_again",
      args = ARGS,
      answers = {
        describe(before),
        { operation = "ecs.update_service", network = "ConnectionReset", times = 0 },
      },
      expect = {
        verdict = "failed",
        exit_code = 22,
        message = 'step 1 "Start a new deployment" failed',
        writes = { "ecs.update_service" },
      },
    },
    {
      name = "no_network_before_the_write_is_safe_to_try_again",
      args = ARGS,
      answers = { { operation = "ecs.describe_services", network = "ConnectionRefused", times = 0 } },
      expect = { verdict = "unavailable", exit_code = 75, writes = {} },
    },
    {
      name = "access_denied_to_the_reads_is_denied",
      args = ARGS,
      answers = { failing("AccessDeniedException", "not authorized: ecs:DescribeServices", 400) },
      expect = { verdict = "denied", exit_code = 5, writes = {} },
    },
    {
      name = "throttled_twice_then_fine",
      args = ARGS,
      answers = {
        failing("ThrottlingException", "Rate exceeded", 400),
        failing("ThrottlingException", "Rate exceeded", 400),
        describe(before),
        update,
        describe(done, 2),
      },
      expect = { verdict = "done", exit_code = 0, writes = { "ecs.update_service" } },
    },
    {
      name = "losing_sight_of_it_for_a_while_is_no_end",
      args = ARGS,
      answers = {
        describe(before),
        update,
        describe(started, 1),
        { operation = "ecs.describe_services", network = "ConnectionRefused", seconds = 120 },
        describe(done, 2),
      },
      expect = {
        verdict = "done",
        exit_code = 0,
        lines = { "cannot read the service just now" },
        writes = { "ecs.update_service" },
      },
    },
    {
      name = "a_service_that_does_not_exist_is_refused",
      args = ARGS,
      answers = {
        describe {
          services = {},
          failures = { { arn = "arn:aws:ecs:eu-west-1:123456789012:service/shop/web", reason = "MISSING" } },
        },
      },
      expect = {
        verdict = "refused_by_plan",
        exit_code = 30,
        message = "There is no service web in cluster shop",
        writes = {},
      },
    },
    {
      name = "a_cluster_that_does_not_exist_is_refused",
      args = ARGS,
      answers = { failing("ClusterNotFoundException", "Cluster not found.", 400) },
      expect = {
        verdict = "refused_by_plan",
        exit_code = 30,
        message = "There is no cluster shop",
      },
    },
    {
      name = "an_inactive_service_is_refused",
      args = ARGS,
      answers = { describe { services = { { service_name = "web", status = "INACTIVE" } } } },
      expect = {
        verdict = "refused_by_plan",
        exit_code = 30,
        message = "Service web is INACTIVE, not ACTIVE",
      },
    },
    {
      name = "a_service_deleted_meanwhile_is_failure",
      args = ARGS,
      answers = {
        describe(before),
        update,
        describe(started, 1),
        {
          operation = "ecs.describe_services",
          seconds = 120,
          output = { services = { { service_name = "web", status = "DRAINING" } } },
        },
      },
      expect = { verdict = "failed", exit_code = 22, message = "Service web is DRAINING now" },
    },
    {
      name = "a_service_of_codedeploy_is_refused_by_name",
      args = ARGS,
      answers = {
        describe {
          services = {
            {
              service_name = "web",
              status = "ACTIVE",
              desired_count = 2,
              running_count = 2,
              deployment_controller = { type = "CODE_DEPLOY" },
            },
          },
        },
      },
      expect = {
        verdict = "refused_by_plan",
        exit_code = 30,
        message = "Service web is deployed by CODE_DEPLOY",
        writes = {},
      },
    },
    {
      name = "a_service_scaled_to_zero_is_refused",
      args = ARGS,
      answers = {
        describe {
          services = {
            {
              service_name = "web",
              status = "ACTIVE",
              desired_count = 0,
              running_count = 0,
              deployments = { deployment(OLD, "PRIMARY", "COMPLETED", 0) },
            },
          },
        },
      },
      expect = { verdict = "refused_by_plan", exit_code = 30, message = "scaled to zero" },
    },
    {
      name = "plan_writes_nothing",
      args = ARGS,
      plan_only = true,
      answers = { describe(before) },
      expect = {
        verdict = "done",
        exit_code = 0,
        message = "planned; nothing was written",
        calls = { "ecs.describe_services" },
        writes = {},
      },
    },
    {
      name = "nobody_to_ask_is_refused",
      args = ARGS,
      confirm = "nobody",
      answers = { describe(before) },
      expect = {
        verdict = "refused_by_operator",
        exit_code = 32,
        message = "give --yes",
        writes = {},
      },
    },
    {
      name = "production_asks_for_the_name",
      environment = "prod",
      settings = 'return { app = "shop", environments = { prod = { service = "web" } } }',
      confirm = "no",
      answers = { describe(before) },
      expect = {
        verdict = "refused_by_operator",
        exit_code = 32,
        message = "was not confirmed",
        phrase = "shop-prod/web",
        writes = {},
      },
    },
    {
      name = "cancelled_before_the_first_write_writes_nothing",
      args = ARGS,
      cancel_at_call = 1,
      answers = { describe(before) },
      expect = { verdict = "cancelled", exit_code = 130, writes = {} },
    },
    {
      name = "cancelled_after_the_write_says_what_was_done",
      args = ARGS,
      cancel_at_call = 4,
      answers = { describe(before), update, describe(half, 2) },
      expect = {
        verdict = "cancelled",
        exit_code = 130,
        message = 'step 1 "Start a new deployment" is done, step 2 "Follow it to its end" was under way',
        writes = { "ecs.update_service" },
      },
    },
    {
      name = "an_empty_cluster_is_not_the_default_cluster",
      args = { cluster = "", service = "web" },
      expect = { verdict = "usage", exit_code = 2, message = "it is empty, and it is required" },
    },
    {
      name = "an_unknown_argument_is_usage",
      args = { cluster = "shop", servcie = "web" },
      expect = { verdict = "usage", exit_code = 2, message = '"servcie"' },
    },
  },
}
