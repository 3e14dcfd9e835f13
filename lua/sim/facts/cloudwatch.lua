--- Texts, durations and limits of CloudWatch, each with the confidence mark of its source:
-- S model, D documentation, O observed, K known, I inferred, ours: the simulator's own.

local facts = {}

facts.texts = {
  unchecked = "Unchecked: Initial alarm creation", -- S D
  crossed = "Threshold Crossed: %d out of the last %d datapoints [%s] %s %s the threshold (%s) "
    .. "(minimum %d datapoint%s for %s transition).", -- O, to OK: I
  treated = "Threshold Crossed: no datapoints were received for %d period%s and %d missing datapoint%s %s treated as [%s].", -- O
  insufficient = "Insufficient Data: %d datapoint%s %s unknown.", -- O
  held = "The scenario holds this alarm in %s.", -- ours
  period = "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.", -- I
  alarm_period = "Period must be 10, 20, 30 or a multiple of 60", -- K
  start_end = "The parameter StartTime must be less than the parameter EndTime.", -- K
  points = "You have requested up to %s datapoints, which exceeds the limit of 1,440. You may reduce the datapoints "
    .. "requested by increasing Period, or decreasing the time range.", -- K
  statistics = "At least one of the parameters Statistics and ExtendedStatistics must be specified.", -- K
  statistic = "The value %s for parameter Statistic is not supported.", -- K
  value_needed = "At least one of the parameters Value, Values or StatisticValues must be specified for MetricData.member.%d.", -- I
  value_range = "The value %s for parameter MetricData.member.%d.Value is invalid.", -- K
  value_time = "The parameter MetricData.member.%d.Timestamp must be within two weeks before and two hours after now.", -- I
  counts = "The parameters MetricData.member.%d.Values and MetricData.member.%d.Counts must be of the same size.", -- K
  namespace = "The value AWS/ for parameter Namespace is invalid.", -- K
  math = "The simulator does not evaluate metric math: expression '%s' of query '%s'.", -- ours
  quota_of = "SERVICE_QUOTA takes the id of a query for a metric of AWS/Usage; '%s' is none.", -- ours
  query_empty = "The query '%s' has neither MetricStat nor Expression.", -- I
  query_ids = "The values for parameter id in MetricDataQueries are not unique.", -- K
  query_id = "The value %s for parameter MetricDataQueries.member.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.", -- K
  next_token = "Invalid NextToken", -- I
  alarm_missing = "Alarm with name %s does not exist", -- K
  alarm_metrics = "The simulator's alarms watch one metric; metric math, composite and query alarms are not simulated.", -- ours
  alarm_statistic = "Exactly one of Statistic and ExtendedStatistic must be specified", -- K
  alarm_operator = "ComparisonOperator %s is not supported for this alarm", -- I
  alarm_threshold = "Threshold must be specified", -- I
  alarm_datapoints = "DatapointsToAlarm must be less than or equal to EvaluationPeriods", -- K
  alarm_missing_data = "The value %s for parameter TreatMissingData is not valid. Valid values are breaching, notBreaching, "
    .. "ignore, missing", -- I
  alarm_range = "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).", -- K
  alarm_name = "AlarmName, MetricName, Namespace, Period and EvaluationPeriods must be specified", -- I
  state_value = "The value %s for parameter StateValue is not valid.", -- I
  state_data = "StateReasonData is not valid JSON", -- K
  dashboard_missing = "Dashboard %s does not exist", -- K
  dashboard_body = "The field DashboardBody must be a valid JSON object", -- K
  dashboard_name = "The value %s for field DashboardName contains invalid characters. "
    .. "It can only contain alphanumerics, dash (-) and underscore (_).", -- K
  history_created = "Alarm \"%s\" created", -- O
  history_updated = "Alarm \"%s\" updated", -- O
  history_deleted = "Alarm \"%s\" deleted", -- O
  history_state = "Alarm updated from %s to %s", -- O
  history_action = "Successfully executed action %s", -- O
}

facts.durations = { -- seconds
  minute = 60,
  late = 60, -- D: how late a point may be: breach to ALARM is the periods and this
  kept = 15 * 86400, -- D: of points by the minute
  history = 30 * 86400, -- D
}

facts.limits = {
  points = 1440, -- D
  data = 100800, -- D: points of a page of GetMetricData
  metrics = 500, -- S: of a page
  alarms = 50, -- S
  spare_periods = 2, -- I: how many periods more than asked an alarm looks back for points that are missing
  values = 150, -- S: of a point
}

-- Quotas whose use is measured, by the service of the metric: in what the metric counts.
facts.quotas = {
  Fargate = 1000, -- vCPU; I: of an account that has been used for a while, a new one has less
}

facts.operators = {
  GreaterThanThreshold = "greater than", GreaterThanOrEqualToThreshold = "greater than or equal to",
  LessThanThreshold = "less than", LessThanOrEqualToThreshold = "less than or equal to",
}

return facts
