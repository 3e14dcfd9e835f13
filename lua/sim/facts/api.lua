--- What all services share: how they refuse, throttle and fail. The letter after each line is the
-- confidence of its source, as docs/simulator.md explains.

return {
  -- Faults of the world, as docs/simulator.md lists them.
  kinds = {
    image_missing = true, architecture = true, behaviour = true, secret = true, log_group_missing = true,
    capacity = true, network = true, alarm = true, load = true, requests = true, denied = true,
    scan_findings = true, quota = true, hook = true,
  },

  -- Kinds of trouble that a scenario can make of the API.
  rules = {
    throttle = true, error = true, latency = true, reset = true, truncate = true, expired_token = true,
    clock_skew = true, read_lag = true, access_denied = true, changed_answer = true,
  },

  -- Services that speak the query protocol or REST XML; their error codes differ. S
  query = { elbv2 = true, sts = true, cloudformation = true, iam = true, ec2 = true, s3 = true },

  -- IAM's word for a service, where it is not ours. S
  prefixes = { elbv2 = "elasticloadbalancing", application_autoscaling = "application-autoscaling" },

  throttling = { ec2 = "RequestLimitExceeded", s3 = "SlowDown" }, -- K

  internal = {
    ecs = { code = "ServerException", message = "Service Unavailable. Please try again later." }, -- S K
    ecr = { code = "ServerException", message = "Service Unavailable. Please try again later." }, -- S K
    logs = { code = "ServiceUnavailableException", message = "The service cannot complete the request." }, -- S
    secretsmanager = { code = "InternalServiceError", message = "An error occurred on the server side." }, -- S
    ssm = { code = "InternalServerError", message = "An error occurred on the server side." }, -- S
    other = { -- D
      code = "InternalFailure",
      message = "The request processing has failed because of an unknown error, exception or failure.",
    },
  },

  texts = {
    rate = "Rate exceeded", -- K
    expired = "The security token included in the request is expired", -- K
    denied = "User: %s is not authorized to perform: %s on resource: %s because no identity-based policy allows the "
      .. "%s action", -- O
    signature_expired = "Signature expired: %s is now earlier than %s (%s - 5 min.)", -- K
    signature_early = "Signature not yet current: %s is still later than %s (%s + 5 min.)", -- K
  },

  durations = {
    signature_slack = 300, -- D
  },

  -- An operation that begins so only reads. S
  reading = { "describe_", "list_", "get_", "batch_get_", "batch_check_", "filter_", "lookup_" },
}
