-- rollback/scale_to_zero: what the simulator does not have is refused by its name, and so are arguments
-- that do not fit together. The rehearsals beside this file have the rest.

local ARN = "arn:aws:ecs:eu-west-1:123456789012:service/shop/web"
local TASK = "arn:aws:ecs:eu-west-1:123456789012:task/shop/0123456789abcdef"
local TAG = { key = "moonbook:scale-to-zero", value = "v1 desired=1 at=1767225600 run=20260101-000000-abcdef" }

-- A service as ECS describes it; `tag` is there or not, `times` as for any answer.
local function service(desired, tag, times)
  return {
    operation = "ecs.describe_services",
    input = { cluster = "shop", services = { "web" }, include = { "TAGS" } },
    output = {
      services = {
        {
          service_name = "web",
          service_arn = ARN,
          status = "ACTIVE",
          scheduling_strategy = "REPLICA",
          task_definition = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7",
          desired_count = desired,
          running_count = 1,
          pending_count = 0,
          tags = { tag },
        },
      },
    },
    times = times,
  }
end

local scaling = {
  operation = "application_autoscaling.describe_scalable_targets",
  input = { service_namespace = "ecs", resource_ids = { "service/shop/web" } },
  output = { scalable_targets = {} },
  times = 0,
}
local list = { operation = "ecs.list_tasks", output = { task_arns = { TASK } }, times = 0 }
local tasks = {
  operation = "ecs.describe_tasks",
  output = { tasks = { { task_arn = TASK, last_status = "RUNNING", desired_status = "RUNNING" } } },
  times = 0,
}
local update = {
  operation = "ecs.update_service",
  input = { cluster = "shop", service = "web", desired_count = 1 },
  output = { service = { service_name = "web" } },
}
local untag = {
  operation = "ecs.untag_resource",
  input = { resource_arn = ARN, tag_keys = { TAG.key } },
  output = {},
}

-- A service of a kind that is refused.
local function refused(name, message, status, strategy, controller, arn)
  return {
    name = name,
    args = { cluster = "shop", service = "web" },
    answers = {
      {
        operation = "ecs.describe_services",
        output = {
          services = {
            {
              service_name = "web",
              service_arn = arn or ARN,
              status = status,
              desired_count = 1,
              scheduling_strategy = strategy,
              deployment_controller = controller and { type = controller },
              tags = {},
            },
          },
        },
      },
      {
        operation = "application_autoscaling.describe_scalable_targets",
        output = { scalable_targets = {} },
        optional = true,
      },
    },
    expect = { verdict = "refused_by_plan", exit_code = 30, message = message, writes = {} },
  }
end

local function bad_arguments(name, message, action, desired, hold, wait)
  return {
    name = name,
    args = { cluster = "shop", service = "web", action = action, desired = desired, hold = hold, wait = wait },
    expect = { verdict = "refused_by_plan", exit_code = 30, message = message, calls = {} },
  }
end

return {
  runbook = "rollback/scale_to_zero",
  specs = {
    {
      name = "restore_puts_back_what_the_tag_says_and_removes_it_last",
      args = { cluster = "shop", service = "web", action = "restore" },
      answers = { service(0, TAG, 2), service(1, TAG, 1), service(1, nil, 0), scaling, list, tasks, update, untag },
      expect = {
        verdict = "done",
        exit_code = 0,
        message = "web is back: 1 task, with web:7.",
        writes = { "ecs.update_service", "ecs.untag_resource" },
        lines = { "run 20260101-000000-abcdef" },
      },
    },
    {
      name = "a_tag_that_does_not_go_fails_the_verification",
      args = { cluster = "shop", service = "web", action = "restore" },
      answers = { service(0, TAG, 2), service(1, TAG, 0), scaling, list, tasks, update, untag },
      expect = { verdict = "check_failed", exit_code = 10, message = "nothing is saved any more" },
    },
    {
      name = "the_service_must_be_typed_and_without_that_nothing_is_written",
      args = { cluster = "shop", service = "web", action = "restore" },
      confirm = "no",
      answers = { service(0, TAG, 1), scaling, list, tasks },
      expect = { verdict = "refused_by_operator", exit_code = 32, phrase = "shop/web", writes = {} },
    },
    refused("a_service_deployed_by_codedeploy_is_refused", "is deployed by CODE_DEPLOY", "ACTIVE", "REPLICA", "CODE_DEPLOY"),
    refused("a_service_with_an_external_controller_is_refused", "is deployed by EXTERNAL", "ACTIVE", "REPLICA", "EXTERNAL"),
    refused("a_daemon_service_is_refused", "has the scheduling strategy DAEMON", "ACTIVE", "DAEMON"),
    refused("an_inactive_service_is_refused", "Service web is INACTIVE", "INACTIVE", "REPLICA"),
    refused("a_draining_service_is_refused", "Service web is DRAINING", "DRAINING", "REPLICA"),
    refused(
      "a_service_that_cannot_have_tags_is_refused",
      "has an ARN of the old, short form",
      "ACTIVE",
      "REPLICA",
      "ECS",
      "arn:aws:ecs:eu-west-1:123456789012:service/web"
    ),
    bad_arguments("a_count_goes_with_restore_only", "--desired says what to restore", "cycle", 2),
    bad_arguments("zero_is_nothing_to_restore", "0 tasks are nothing to restore", "restore", 0),
    bad_arguments("a_hold_goes_with_cycle_only", "--hold goes with --action cycle", "stop", nil, 60),
    bad_arguments("a_hold_that_is_too_long_is_refused", "--hold may be 1h at most", "cycle", nil, 3601),
    bad_arguments("a_wait_that_is_too_long_is_refused", "--wait may be 50m at most", "stop", nil, nil, 3001),
  },
}
