-- rollback/scale_to_zero on simulated worlds. interruptions.spec.lua has what happens when it is cut off.

local KEY = "moonbook:scale-to-zero"
local ARN = "arn:aws:ecs:eu-west-1:123456789012:service/aistudio-dev/aistudio-dev"

local function run(action, more)
  local args = { cluster = "aistudio-dev", service = "aistudio-dev", action = action }
  more = more or {}
  args.desired, args.hold, args.wait = more.desired, more.hold, more.wait
  return { runbook = "rollback/scale_to_zero", args = args, plan_only = more.plan_only, answer = more.answer }
end

local function service_has(at, is)
  return {
    call = "ecs.describe_services",
    input = { cluster = "aistudio-dev", services = { "aistudio-dev" }, include = { "TAGS" } },
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

local function suspended(is)
  return limits("suspended_state", {
    dynamic_scaling_in_suspended = is,
    dynamic_scaling_out_suspended = is,
    scheduled_scaling_suspended = is,
  })
end

local tagged, untagged = service_has("tags.2.key", KEY), service_has("tags", { { key = "Environment", value = "dev" } })

local running = { service_has("desired_count", 1), service_has("running_count", 1) }
local before = { running[1], running[2], untagged, limits("min_capacity", 1), limits("max_capacity", 3), suspended(false) }
local stopped = {
  service_has("desired_count", 0),
  service_has("running_count", 0),
  tagged,
  limits("min_capacity", 0),
  limits("max_capacity", 3),
  suspended(true),
}

local no_writes = {
  ["ecs.tag_resource"] = 0,
  ["ecs.update_service"] = 0,
  ["application_autoscaling.register_scalable_target"] = 0,
  ["ecs.untag_resource"] = 0,
}

-- The service without a load balancer and without auto scaling.
local bare = {
  { "service", { app = "aistudio", env = "dev", desired = 2, image = "aistudio-dev:v1" } },
}

local function someone(service, operation, input)
  return { "someone_calls", { service = service, operation = operation, input = input } }
end

local function count(number)
  return someone("ecs", "update_service", { cluster = "aistudio-dev", service = "aistudio-dev", desired_count = number })
end

local function bounds(low, high)
  return someone("application_autoscaling", "register_scalable_target", {
    service_namespace = "ecs",
    resource_id = "service/aistudio-dev/aistudio-dev",
    scalable_dimension = "ecs:service:DesiredCount",
    min_capacity = low,
    max_capacity = high,
  })
end

local function tag(value)
  return someone("ecs", "tag_resource", { resource_arn = ARN, tags = { { key = KEY, value = value } } })
end

local function at(time, command)
  return { "at", { time = time, command = command[1], args = command[2] } }
end

local function denied(action)
  return {
    name = "when " .. action .. " is denied, nothing is stopped",
    world = { "service", { "deny_calls", { action = action } } },
    run = run "cycle",
    expect = {
      verdict = "denied",
      exit_code = 5,
      calls = { ["ecs.update_service"] = 0, ["application_autoscaling.register_scalable_target"] = 0 },
      world = before,
    },
  }
end

-- What an earlier run would have saved of `bare`, in a tag.
local saved_tag = tag "v1 desired=2 at=1767225600 run=20260101-000000-abcdef"

-- Keeps the service as it is now, for what AWS is to go on showing of it.
local found = { "someone_calls", { service = "ecs", operation = "describe_services", keep = "found",
  input = { cluster = "aistudio-dev", services = { "aistudio-dev" }, include = { "TAGS" } } } }

-- A member of the service as AWS gives it.
local function seen(at, is)
  return { "change_answers", { service = "ecs", operation = "describe_services", at = "services.1." .. at, is = is } }
end

-- A service of a kind that is refused.
local function refused(name, message, ...)
  return {
    name = name,
    world = { ... },
    run = run "cycle",
    expect = { verdict = "refused_by_plan", exit_code = 30, message = message, writes = {}, calls = no_writes },
  }
end

local function bad_arguments(name, message, action, more)
  return {
    name = name,
    world = "service",
    run = run(action, more),
    expect = { verdict = "refused_by_plan", exit_code = 30, message = message, at_most = 0 },
  }
end

local function handed_over(controller)
  return { "service", { app = "aistudio", env = "dev", image = "aistudio-dev:v1", controller = controller } }
end

return {
  {
    name = "a cycle stops every task, and count and limits come back as they were",
    world = "service",
    run = run "cycle",
    expect = {
      message = "aistudio-dev is back: 1 task, auto scaling between 1 and 3, with aistudio-dev:1, which it ran before.",
      writes = {
        "ecs.tag_resource",
        "application_autoscaling.register_scalable_target",
        "ecs.update_service",
        "ecs.update_service",
        "application_autoscaling.register_scalable_target",
        "ecs.untag_resource",
      },
      checks = {
        ["desired count is back"] = "pass",
        ["auto scaling is as before"] = "pass",
        ["tasks run and targets are healthy"] = "pass",
        ["nothing is saved any more"] = "pass",
      },
      within = "5m",
      world = before,
    },
  },
  {
    name = "a cycle works without auto scaling and without a load balancer",
    world = bare,
    run = run "cycle",
    expect = {
      message = "2 tasks, with aistudio-dev:1",
      writes = { "ecs.tag_resource", "ecs.update_service", "ecs.update_service", "ecs.untag_resource" },
      world = { service_has("desired_count", 2), service_has("running_count", 2), untagged },
    },
  },
  {
    name = "stop leaves it at zero with everything saved, and restore puts it back",
    world = "service",
    runs = {
      { run = run "stop", expect = { message = "aistudio-dev runs no task", world = stopped } },
      { run = run "restore", expect = { world = before } },
    },
  },
  {
    name = "stopping what is stopped keeps what was saved",
    world = "service",
    runs = {
      { run = run "stop", expect = { world = stopped } },
      { run = run "stop", expect = { world = stopped } },
      { run = run "restore", expect = { world = before } },
    },
  },
  {
    name = "restoring what is restored changes nothing",
    world = "service",
    runs = {
      { run = run "stop" },
      { run = run "restore", expect = { world = before } },
      { run = run "restore", expect = { verdict = "nothing_to_do", calls = no_writes, world = before } },
    },
  },
  {
    name = "auto scaling brings nothing back while it is held at zero, a schedule least of all",
    world = {
      "service",
      someone("application_autoscaling", "put_scheduled_action", {
        service_namespace = "ecs",
        resource_id = "service/aistudio-dev/aistudio-dev",
        scalable_dimension = "ecs:service:DesiredCount",
        scheduled_action_name = "morning",
        schedule = "at(2026-01-01T02:00:00)",
        scalable_target_action = { min_capacity = 2, max_capacity = 3 },
      }),
    },
    runs = {
      { run = run "stop", expect = { world = stopped } },
      { world = { { "advance", { time = "6h" } } }, run = run "stop", expect = { world = stopped } },
      { run = run "restore", expect = { world = before } },
    },
  },
  {
    name = "it stays at zero as long as it is told",
    world = "service",
    run = run("cycle", { hold = 600 }),
    expect = { within = "15m", world = before },
  },
  {
    name = "a deployment in progress does not keep it from stopping everything",
    world = {
      "service",
      { "image", { name = "aistudio-dev:v2" } },
      { "deploy", { app = "aistudio", env = "dev", image = "aistudio-dev:v2", wait = false } },
    },
    run = run "cycle",
    expect = { message = "with aistudio-dev:2", world = before },
  },
  {
    name = "reads that lag are not somebody else's doing",
    world = { "service", { "lag_reads", { service = "ecs", by = "10s" } } },
    run = run "cycle",
    expect = { world = before },
  },
  {
    name = "throttling all along slows it down and no more",
    world = { "service", { "throttle", { percent = 20 } } },
    run = run "cycle",
    expect = { world = before },
  },
  {
    name = "plan only reads",
    world = "service",
    run = run("cycle", { plan_only = true }),
    expect = { calls = no_writes, world = before },
  },
  {
    name = "when the operator says no, nothing is written",
    world = "service",
    run = run("cycle", { answer = false }),
    expect = { verdict = "refused_by_operator", exit_code = 32, calls = no_writes, world = before },
  },

  {
    name = "restore puts back what the tag says and removes it last",
    world = { bare[1], count(0), { "advance", { time = "5m" } }, saved_tag },
    run = run "restore",
    expect = {
      verdict = "done", exit_code = 0, message = "aistudio-dev is back: 2 tasks, with aistudio-dev:1.",
      writes = { "ecs.update_service", "ecs.untag_resource" }, lines = { "run 20260101-000000-abcdef" },
      world = { service_has("running_count", 2), untagged },
    },
  },
  {
    name = "the service must be typed to restore it, and without that nothing is written",
    world = { bare[1], count(0), { "advance", { time = "5m" } }, saved_tag },
    run = run("restore", { answer = false }),
    expect = {
      verdict = "refused_by_operator", exit_code = 32, phrase = "aistudio-dev/aistudio-dev", writes = {}, calls = no_writes,
    },
  },
  -- ---- what does not come to its end -------------------------------------------------------------
  {
    name = "tasks that are still draining are no success, and what was saved is kept",
    world = { { "service", {
      app = "aistudio", env = "dev", desired = 1, image = "aistudio-dev:v1", load_balancer = true,
      autoscaling = { min = 1, max = 3 }, deregistration_delay = 300,
    } } },
    runs = {
      {
        run = run("cycle", { wait = 120 }),
        expect = {
          verdict = "timed_out",
          exit_code = 40,
          message = "aistudio-dev is at zero, but not every task is gone after 120 seconds: waiting for 1 to go: "
            .. "1 DEACTIVATING (connections drain)",
          world = stopped,
        },
      },
      { run = run "restore", expect = { world = before } },
    },
  },
  {
    name = "tasks that do not come back are no success, and what was saved is kept",
    world = "service",
    runs = {
      { run = run "stop" },
      {
        world = { { "no_capacity", { service = "aistudio-dev" } } },
        run = run("restore", { wait = 120 }),
        expect = {
          verdict = "timed_out",
          exit_code = 40,
          message = "aistudio-dev is not back after 120 seconds: 0 of 1 running",
          world = { service_has("desired_count", 1), service_has("running_count", 0), tagged, limits("min_capacity", 1) },
        },
      },
      { world = { { "clear", {} } }, run = run "restore", expect = { world = before } },
    },
  },
  {
    name = "tasks that crash when they come back are no success",
    world = "service",
    runs = {
      { run = run "stop" },
      {
        world = { { "behave", { image = "aistudio-dev:v1", crash = { exit = 1, after = "20s" } } } },
        run = run("restore", { wait = 300 }),
        expect = { verdict = "timed_out", world = { tagged } },
      },
    },
  },
  {
    name = "targets that are unhealthy are no success",
    world = "service",
    runs = {
      { run = run "stop" },
      {
        world = { { "behave", { image = "aistudio-dev:v1", status = 503 } } },
        run = run("restore", { wait = 120 }),
        expect = { verdict = "timed_out", world = { tagged } },
      },
    },
  },

  {
    name = "a tag that does not go fails the verification",
    world = {
      bare[1], count(0), { "advance", { time = "5m" } }, saved_tag, found, seen("tags", "${found.services.1.tags}"),
    },
    run = run "restore",
    expect = {
      verdict = "check_failed", exit_code = 10, message = "nothing is saved any more",
      checks = { ["nothing is saved any more"] = "fail", ["desired count is back"] = "pass" },
    },
  },

  -- ---- somebody else -----------------------------------------------------------------------------
  {
    name = "a count that somebody sets while it goes to zero is left alone",
    world = { "service", at("30s", count(2)) },
    run = run "cycle",
    expect = {
      verdict = "superseded",
      exit_code = 24,
      message = "Somebody else set the desired count of aistudio-dev to 2. It was left alone.",
      world = { service_has("desired_count", 2), tagged },
    },
  },
  {
    name = "a count that somebody sets at zero is left alone",
    world = "service",
    runs = {
      { run = run "stop" },
      {
        world = { count(7) },
        run = run "restore",
        expect = {
          verdict = "refused_by_plan",
          exit_code = 30,
          message = "Somebody else changed the desired count of aistudio-dev: it is 7 now, neither 1 as saved nor 0.",
          calls = no_writes,
        },
      },
      { run = run "stop", expect = { verdict = "refused_by_plan", calls = no_writes } },
      { run = run "cycle", expect = { verdict = "refused_by_plan", calls = no_writes } },
      { run = run("restore", { desired = 1 }), expect = { world = before } },
    },
  },
  {
    name = "a count that somebody sets while it comes back is left alone",
    world = bare,
    runs = {
      { run = run "stop" },
      {
        world = { at("20s", count(5)) },
        run = run "restore",
        expect = { verdict = "superseded", world = { service_has("desired_count", 5), tagged } },
      },
    },
  },
  {
    name = "a count that auto scaling chooses as soon as it is back is no interference",
    world = "service",
    runs = {
      { run = run "stop" },
      {
        world = { at("20s", count(2)) }, -- a number within the limits, as auto scaling would set it
        run = run "restore",
        expect = { world = { service_has("desired_count", 2), service_has("running_count", 2), untagged, suspended(false) } },
      },
    },
  },
  {
    name = "limits that somebody sets at zero are left alone, and --desired accepts them",
    world = "service",
    runs = {
      { run = run "stop" },
      {
        world = { bounds(0, 6) },
        run = run "restore",
        expect = {
          verdict = "refused_by_plan",
          message = "Somebody else changed auto scaling of aistudio-dev: auto scaling between 0 and 6",
          calls = no_writes,
        },
      },
      {
        run = run("restore", { desired = 1 }),
        expect = { world = { running[1], running[2], untagged, limits("min_capacity", 0), limits("max_capacity", 6) } },
      },
    },
  },
  {
    name = "limits that somebody sets during a cycle are left alone",
    world = { "service", at("30s", bounds(0, 6)) },
    run = run "cycle",
    expect = { verdict = "superseded", world = { tagged, limits("max_capacity", 6) } },
  },
  {
    name = "another run that begins between plan and apply is left alone",
    world = { "service", at(0.1, tag("v1 desired=3 at=1767225600 run=other")) },
    run = run "cycle",
    expect = { verdict = "superseded", message = "Run other has begun", calls = no_writes, world = running },
  },
  {
    name = "a count that auto scaling moves between saving and suspending is the one that comes back",
    world = { "service", at(0.205, count(2)) },
    run = run "cycle",
    expect = {
      calls = { ["ecs.tag_resource"] = 2 },
      world = { service_has("desired_count", 2), service_has("running_count", 2), untagged },
    },
  },

  {
    name = "what a restore that never got healthy left saved does not stand in the way of the next emergency",
    world = "service",
    runs = {
      { run = run "stop" },
      {
        world = { { "behave", { image = "aistudio-dev:v1", status = 503 } } },
        run = run("restore", { wait = 60 }),
        expect = { verdict = "timed_out", world = { tagged, suspended(false) } },
      },
      { world = { bounds(2, 6), { "advance", { time = "1m" } } }, run = run "stop", expect = { world = { tagged, suspended(true) } } },
      {
        world = { { "behave", { image = "aistudio-dev:v1", status = 200 } } },
        run = run "restore",
        expect = {
          world = { service_has("running_count", 2), untagged, limits("min_capacity", 2), limits("max_capacity", 6), suspended(false) },
        },
      },
    },
  },
  {
    name = "somebody who takes the tag away keeps it from stopping anything",
    world = { "service", at(0.215, someone("ecs", "untag_resource", { resource_arn = ARN, tag_keys = { KEY } })) },
    run = run "cycle",
    expect = {
      verdict = "superseded",
      message = "What was saved of aistudio-dev has gone.",
      calls = { ["ecs.update_service"] = 0 },
      world = running,
    },
  },

  -- ---- what is refused ---------------------------------------------------------------------------
  {
    name = "what is at zero with nothing saved is not cycled, but --desired brings it back",
    world = { "service", count(0), { "advance", { time = "5m" } } },
    runs = {
      { run = run "stop", expect = { verdict = "nothing_to_do", message = "scaled to zero already", calls = no_writes } },
      { run = run "cycle", expect = { verdict = "refused_by_plan", message = "is not saved", calls = no_writes } },
      { run = run "restore", expect = { verdict = "refused_by_plan", message = "is not saved", calls = no_writes } },
      { run = run("restore", { desired = 1 }), expect = { world = before } },
    },
  },
  {
    name = "a tag that cannot be read is refused",
    world = { "service", tag "v9 something=else" },
    runs = {
      { run = run "stop", expect = { verdict = "refused_by_plan", message = "v9 something=else", calls = no_writes } },
      { run = run "restore", expect = { verdict = "refused_by_plan", message = "v9 something=else", calls = no_writes } },
    },
  },
  {
    name = "a count outside the limits that are saved is not restored",
    world = "service",
    runs = {
      { run = run "stop" },
      {
        run = run("restore", { desired = 9 }),
        expect = { verdict = "refused_by_plan", message = "auto scaling between 1 and 3", calls = no_writes },
      },
    },
  },
  {
    name = "a service that does not exist is refused",
    world = "empty",
    run = run "cycle",
    expect = { verdict = "refused_by_plan", exit_code = 30, calls = no_writes },
  },
  refused("a service deployed by CodeDeploy is refused", "is deployed by CODE_DEPLOY", handed_over "CODE_DEPLOY"),
  refused("a service with an external controller is refused", "is deployed by EXTERNAL", handed_over "EXTERNAL"),
  refused("a daemon service is refused", "has the scheduling strategy DAEMON", "service", seen("scheduling_strategy", "DAEMON")),
  refused("an inactive service is refused", "Service aistudio-dev is INACTIVE", "service", seen("status", "INACTIVE")),
  refused("a draining service is refused", "Service aistudio-dev is DRAINING", "service", seen("status", "DRAINING")),
  refused("a service that cannot have tags is refused", "has an ARN of the old, short form", "service",
    seen("service_arn", "arn:aws:ecs:eu-west-1:123456789012:service/aistudio-dev")),
  bad_arguments("a count goes with restore only", "--desired says what to restore", "cycle", { desired = 2 }),
  bad_arguments("zero is nothing to restore", "0 tasks are nothing to restore", "restore", { desired = 0 }),
  bad_arguments("a hold goes with cycle only", "--hold goes with --action cycle", "stop", { hold = 60 }),
  bad_arguments("a hold that is too long is refused", "--hold may be 1h at most", "cycle", { hold = 3601 }),
  bad_arguments("a wait that is too long is refused", "--wait may be 50m at most", "stop", { wait = 3001 }),
  denied "ecs:TagResource",
  denied "ecs:ListTasks",
  denied "ecs:DescribeTasks",
  denied "elasticloadbalancing:DescribeTargetHealth",
  denied "application-autoscaling:DescribeScalableTargets",
}
