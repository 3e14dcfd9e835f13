return {
  name = "validate/service",
  version = "1.0.0",
  moonbook = 1,
  summary = "Check that a service runs, its tasks and targets are healthy and it answers",
  kind = "validate",
  effect = "reads",
  uses = {
    "ecs.describe_services",
    "ecs.list_tasks",
    "ecs.describe_tasks",
    "elbv2.describe_target_health",
    "ssm.get_parameter",
    "http.get",
  },
  -- The load balancer's own name, or the host of the URL that was asked for.
  hosts = { "*.elb.amazonaws.com", "*.elb.amazonaws.com.cn", "{health_url}" },
  timeout = "5m",
  args = {
    { name = "cluster", type = "string", required = true, setting = "cluster", doc = "the cluster" },
    { name = "service", type = "string", required = true, setting = "service", doc = "the service" },
    {
      name = "health_url",
      type = "string",
      setting = "health_url",
      doc = "ask this URL instead of the load balancer's",
    },
    {
      name = "health_path",
      type = "string",
      default = "/api/healthz",
      setting = "health_path",
      doc = "path of the health page at the load balancer",
    },
    {
      name = "alb_dns_parameter",
      type = "string",
      setting = "alb_dns_parameter",
      doc = "SSM parameter that holds the load balancer's DNS name",
    },
    {
      name = "health_body",
      type = "boolean",
      default = true,
      doc = 'the health page must answer {"status":"ok"}, not only 200',
    },
    {
      name = "health_timeout",
      type = "duration",
      default = "10s",
      doc = "how long the health page may take to answer",
    },
  },
}
