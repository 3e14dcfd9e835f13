--- Texts and durations of Application Auto Scaling, each with the confidence mark of its source:
-- S model, D documentation, O observed, K known, I inferred, ours: the simulator's own.

local facts = {}

facts.texts = {
  setting = "Setting desired count to %d.", -- O
  attempt = "Attempting to scale due to alarm triggered", -- K
  cause_alarm = "monitor alarm %s in state ALARM triggered policy %s", -- O
  cause_minimum = "minimum capacity was set to %d", -- O
  cause_maximum = "maximum capacity was set to %d", -- K
  cause_scheduled = "scheduled action name %s was triggered", -- K
  waiting = "Successfully set desired count to %d. Waiting for change to be fulfilled by ecs.", -- I
  fulfilled = "Successfully set desired count to %d. Change successfully fulfilled by ecs.", -- O
  failed = "Failed to set desired count to %d. Reason: %s", -- I
  namespace = "Unsupported service namespace, resource type or scalable dimension", -- K; ours: only ECS services
  resource = "ECS service doesn't exist: %s", -- K
  capacity_needed = "MinCapacity and MaxCapacity must be specified for a new scalable target", -- I
  capacity_order = "Maximum capacity cannot be less than minimum capacity", -- K
  target_missing = "No scalable target registered for service namespace: ecs, resource ID: %s, scalable dimension: "
    .. "ecs:service:DesiredCount", -- K
  target_missing_short = "No scalable target found for service namespace: ecs, resource ID: %s, scalable dimension: "
    .. "ecs:service:DesiredCount", -- K
  policy_missing = "No scaling policy found for service namespace: ecs, resource ID: %s, scalable dimension: "
    .. "ecs:service:DesiredCount, policy name: %s", -- K
  action_missing = "No scheduled action found for service namespace: ecs, resource ID: %s, scheduled action name: %s", -- I
  policy_type = "The simulator has target tracking policies only, not %s.", -- ours
  policy_config = "TargetTrackingScalingPolicyConfiguration must be specified", -- I
  policy_metric = "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified", -- I
  policy_predefined = "The metric %s is not supported for the scalable dimension ecs:service:DesiredCount", -- I
  policy_label = "ResourceLabel must be app/LOAD-BALANCER/ID/targetgroup/TARGET-GROUP/ID", -- I
  policy_math = "The simulator does not evaluate metric math in scaling policies.", -- ours
  schedule = "The simulator has schedules of the forms at(yyyy-mm-ddThh:mm:ss) and rate(VALUE UNIT) in UTC, not %s.", -- ours
  schedule_action = "ScalableTargetAction must have a minimum or a maximum capacity", -- I
  alarm_description = "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy %s.", -- K
  token = "The specified next token is invalid.", -- I
}

facts.durations = { -- seconds
  activity = 32, -- O, 31-34
  bounds = 5, -- I: from a changed minimum or maximum to the desired count
  cooldown = 300, -- D
  history = 42 * 86400, -- D: six weeks
}

facts.alarms = { -- D O
  period = 60, high_periods = 3, low_periods = 15, low_part = 0.9,
}

return facts
