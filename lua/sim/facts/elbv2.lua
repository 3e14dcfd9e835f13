--- What is known of Elastic Load Balancing: durations in seconds, defaults, texts. The letter after each
-- line is the confidence of its source, as docs/simulator.md explains.

return {
  durations = {
    registering = 1,         -- registration until the first check is on its way; O
    first_check = 1.5,       -- registration until the first check's verdict; O (1 to 2)
    provisioning = 150,      -- a new load balancer until active; D
    idle_timeout = 60,       -- D
  },

  -- Of a target group of an application load balancer with IP targets. S D
  group = {
    health_check_enabled = true,
    health_check_interval_seconds = 30,
    health_check_timeout_seconds = 5,
    healthy_threshold_count = 5,
    unhealthy_threshold_count = 2,
    health_check_path = "/",
    health_check_port = "traffic-port",
    health_check_protocol = "HTTP",
    ip_address_type = "ipv4",
    protocol_version = "HTTP1",
  },
  matcher = "200", -- S D
  requests_per_minute = 60, -- of an ordinary day, when a scenario says nothing; ours

  group_attributes = { -- S D
    ["deregistration_delay.timeout_seconds"] = "300",
    ["load_balancing.algorithm.anomaly_mitigation"] = "off",
    ["load_balancing.algorithm.type"] = "round_robin",
    ["load_balancing.cross_zone.enabled"] = "use_load_balancer_configuration",
    ["slow_start.duration_seconds"] = "0",
    ["stickiness.app_cookie.cookie_name"] = "",
    ["stickiness.app_cookie.duration_seconds"] = "86400",
    ["stickiness.enabled"] = "false",
    ["stickiness.lb_cookie.duration_seconds"] = "86400",
    ["stickiness.type"] = "lb_cookie",
    ["target_group_health.dns_failover.minimum_healthy_targets.count"] = "1",
    ["target_group_health.dns_failover.minimum_healthy_targets.percentage"] = "off",
    ["target_group_health.unhealthy_state_routing.minimum_healthy_targets.count"] = "1",
    ["target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage"] = "off",
  },

  balancer_attributes = { -- D
    ["access_logs.s3.bucket"] = "",
    ["access_logs.s3.enabled"] = "false",
    ["access_logs.s3.prefix"] = "",
    ["client_keep_alive.seconds"] = "3600",
    ["connection_logs.s3.bucket"] = "",
    ["connection_logs.s3.enabled"] = "false",
    ["connection_logs.s3.prefix"] = "",
    ["deletion_protection.enabled"] = "false",
    ["idle_timeout.timeout_seconds"] = "60",
    ["load_balancing.cross_zone.enabled"] = "true",
    ["routing.http.desync_mitigation_mode"] = "defensive",
    ["routing.http.drop_invalid_header_fields.enabled"] = "false",
    ["routing.http.preserve_host_header.enabled"] = "false",
    ["routing.http.x_amzn_tls_version_and_cipher_suite.enabled"] = "false",
    ["routing.http.xff_client_port.enabled"] = "false",
    ["routing.http.xff_header_processing.mode"] = "append",
    ["routing.http2.enabled"] = "true",
    ["waf.fail_open.enabled"] = "false",
    ["zonal_shift.config.enabled"] = "false",
  },

  -- A target's state: reason and description. O D
  health = {
    registering = { "Elb.RegistrationInProgress", "Target registration is in progress" },
    checking = { "Elb.InitialHealthChecking", "Initial health checks in progress" },
    mismatch = { "Target.ResponseCodeMismatch", "Health checks failed with these codes: [%d]" },
    timeout = { "Target.Timeout", "Request timed out" },
    failed = { "Target.FailedHealthChecks", "Health checks failed" },
    unregistered = { "Target.NotRegistered", "Target is not registered to the target group" },
    unused = { "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer" },
    draining = { "Target.DeregistrationInProgress", "Target deregistration is in progress" },
  },

  override = { -- O
    state = "no_override",
    reason = "AdministrativeOverride.NoOverride",
    description = "No override is currently active on target",
  },

  errors = { -- codes S, texts K where not marked
    TargetGroupNotFound = "One or more target groups not found",
    LoadBalancerNotFound = "One or more load balancers not found",
    ListenerNotFound = "One or more listeners not found",
    RuleNotFound = "One or more rules not found",
    DuplicateTargetGroupName = "A target group with the same name '%s' exists, but with different settings",
    DuplicateLoadBalancerName = "A load balancer with the same name '%s' exists, but with different settings",
    DuplicateListener = "A listener already exists on this port for this load balancer '%s'",
    PriorityInUse = "Priority '%d' is currently in use",
    matcher = "Health check matcher HTTP code '%s' must be within '200-499' inclusive", -- K
    check_port = "Health check port '%s' must be 'traffic-port' or a port from 1 to 65535", -- I
    no_target = "A target group ARN must be specified", -- K
    redirect = "A redirect action needs a status code of HTTP_301 or HTTP_302", -- I
    fixed = "A fixed-response action needs a status code of the form 2XX, 4XX or 5XX", -- I
    action = "Action type '%s' is not allowed there: the last action forwards, redirects or answers", -- I
    unchecked = "Health check enabled must be true for target groups with target type '%s'", -- K
    interval = "Health check interval must be greater than the timeout.", -- K
    incomplete = "A protocol, port and VPC must be specified for target type '%s'", -- K
    vpc = "The VPC ID '%s' is not found", -- K
    delay = "Deregistration delay timeout must be between 0 and 3600 seconds", -- K
    condition = "Condition field '%s' must be one of '[path-pattern, host-header, http-header, query-string, "
      .. "http-request-method, source-ip]'", -- K
    no_value = "A condition value must be specified", -- K
    listener = "A listener protocol and port must be specified", -- K
    certificate = "A certificate must be specified for HTTPS listeners", -- K
    which_listener = "You must specify either listener ARNs or a load balancer ARN", -- K
    which_rule = "You must specify either listener rule ARNs or a listener ARN", -- K
    default_conditions = "The conditions of a default rule cannot be modified", -- I
    default_priority = "The priority of a default rule cannot be modified", -- I
    subnet = "The subnet ID '%s' does not exist", -- K
    security_group = "One or more security groups are invalid", -- K
    tagged = "'%s' is not a valid load balancer ARN", -- K
    group_in_use = "Target group '%s' is currently in use by a listener or a rule",
    default_rule = "Default rule '%s' cannot be deleted",
    bad_ip = "The target '%s' is not a valid IP address", -- I
    outside = "The IP address '%s' is not within the VPC's CIDR blocks", -- I
    no_group = "Target groups '%s' not found", -- K
    protected = "Load balancer '%s' cannot be deleted because deletion protection is enabled", -- K
    subnets = "At least two subnets in two different Availability Zones must be specified", -- K
    attribute = "Target group attribute key '%s' is not recognized", -- K
    balancer_attribute = "Load balancer attribute key '%s' is not recognized", -- K
  },

  -- Pages of the load balancer itself. K
  pages = {
    [502] = "502 Bad Gateway",
    [503] = "503 Service Temporarily Unavailable",
    [504] = "504 Gateway Time-out",
    html = "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s</h1></center>\r\n</body>\r\n"
      .. "</html>\r\n",
  },

  zones = { ["eu-west-1"] = "Z32O12XQLNTSW2", ["us-east-1"] = "Z35SXDOTRQ7X7K", other = "Z00000000SIMULATED" }, -- D
}
