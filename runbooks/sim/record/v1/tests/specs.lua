-- sim/record: the least a service can have, and what ends a recording.

local arn = "arn:aws:ecs:eu-west-1:111122223333:"
local definition = arn .. "task-definition/web:3"
local args = { cluster = "shop", service = "web" }

local function describe(launch_type)
  local service = {
    service_arn = arn .. "service/shop/web",
    service_name = "web",
    cluster_arn = arn .. "cluster/shop",
    status = "ACTIVE",
    desired_count = 0,
    running_count = 0,
    task_definition = definition,
    deployments = {},
    launch_type = launch_type,
  }
  return { operation = "ecs.describe_services", output = { services = { service } } }
end

local function nothing(operation, output)
  return { operation = operation, output = output or {}, times = 0, optional = true }
end

-- All the answers for a service of one task definition that names nothing else.
local function answers(first)
  return {
    first,
    { operation = "ecs.describe_clusters", output = { clusters = { { cluster_name = "shop" } } } },
    { operation = "ecs.list_service_deployments", output = { service_deployments = {} }, input = { max_results = 30 } },
    { operation = "ecs.list_tasks", output = { task_arns = {} }, times = 2 },
    {
      operation = "ecs.list_task_definitions",
      output = { task_definition_arns = { definition } },
      input = { family_prefix = "web", sort = "DESC" },
    },
    {
      operation = "ecs.describe_task_definition",
      input = { task_definition = definition },
      output = {
        task_definition = {
          task_definition_arn = definition,
          container_definitions = {
            {
              name = "web",
              image = "nginx:1",
              environment = { { name = "PLAIN", value = "open" } },
              command = { "serve", "--password", "open-too", "--token=open-three", "--level", "debug" },
              log_configuration = { log_driver = "splunk", options = { ["splunk-token"] = "open-four" } },
            },
          },
        },
      },
    },
    nothing("cloudwatch.describe_alarms", { metric_alarms = {} }),
    nothing("cloudwatch.list_dashboards", { dashboard_entries = {} }),
    nothing("application_autoscaling.describe_scalable_targets", { scalable_targets = {} }),
    nothing("application_autoscaling.describe_scaling_policies", { scaling_policies = {} }),
    nothing("application_autoscaling.describe_scheduled_actions", { scheduled_actions = {} }),
  }
end

return {
  runbook = "sim/record",
  specs = {
    {
      name = "a_service_without_balancer_or_tasks_is_recorded",
      args = args,
      answers = answers(describe()),
      expect = {
        verdict = "done",
        exit_code = 0,
        message = "web in cluster shop is recorded",
        result = {
          world = {
            moonbook_world = 1,
            account = "111122223333",
            region = "eu-west-1",
            environment = "redacted",
            ecs = {
              task_definitions = {
                {
                  task_definition = {
                    container_definitions = {
                      {
                        name = "web",
                        image = "nginx:1",
                        environment = { { name = "PLAIN", value = "redacted" } },
                        command = { "serve", "--password", "redacted", "--token=redacted", "--level", "debug" },
                        log_configuration = { log_driver = "splunk", options = { ["splunk-token"] = "redacted" } },
                      },
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
    {
      name = "a_service_on_instances_is_refused",
      args = args,
      answers = { describe "EC2" },
      expect = { verdict = "refused_by_plan", exit_code = 30, message = "the launch type EC2" },
    },
    {
      name = "a_denied_service_ends_it",
      args = args,
      answers = {
        {
          operation = "ecs.describe_services",
          error = { code = "AccessDeniedException", message = "no", status = 400 },
        },
      },
      expect = { verdict = "denied", exit_code = 5, error = "no" },
    },
    {
      name = "a_history_that_cannot_be_read_in_one_call_is_refused",
      args = { cluster = "shop", service = "web", history = 101 },
      answers = {},
      expect = { verdict = "refused_by_plan", exit_code = 30 },
    },
  },
}
