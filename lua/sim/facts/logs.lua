--- Texts, durations and limits of CloudWatch Logs, each with the confidence mark of its source:
-- S model, D documentation, O observed, K known, I inferred.

local facts = {}

facts.texts = {
  group_missing = "The specified log group does not exist.", -- S
  stream_missing = "The specified log stream does not exist.", -- S
  group_exists = "The specified log group already exists", -- K
  stream_exists = "The specified log stream already exists", -- K
  group_name = "1 validation error detected: Value '%s' at 'logGroupName' failed to satisfy constraint: "
    .. "Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+", -- K
  stream_name = "1 validation error detected: Value '%s' at 'logStreamName' failed to satisfy constraint: "
    .. "Member must satisfy regular expression pattern: [^:*]*", -- K
  retention = "1 validation error detected: Value '%s' at 'retentionInDays' failed to satisfy constraint: "
    .. "Member must satisfy enum value set: [%s]", -- K
  group_twice = "LogGroup name and LogGroup ARN are mutually exclusive parameters.", -- K
  group_none = "Please specify either LogGroup name or LogGroup ARN", -- I
  order = "Log events in a single PutLogEvents request must be in chronological order.", -- K
  span = "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.", -- K
  prefix_order = "Cannot order by LastEventTime with a logStreamNamePrefix.", -- K
  prefix_and_names = "logStreamNames and logStreamNamePrefix are mutually exclusive parameters.", -- K
  prefix_and_pattern = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.", -- K
  times = "startTime must not be later than endTime.", -- I
  token = "The specified nextToken is invalid.", -- K
  token_events = "The specified nextToken is invalid.", -- K
  term = "Invalid character(s) in term '%s'", -- O
  pattern = "Invalid filter pattern", -- K
  regex = "Invalid regex pattern '%s' in filter pattern: %s", -- I
  query_symbol = "unexpected symbol found %s at line %d and position %d", -- K
  query_end = "unexpected end of query", -- I
  query_group = "Log group '%s' does not exist for account ID '%s'", -- K
  query_age = "Query's end date and time is either before the log groups creation time or exceeds the log groups log "
    .. "retention settings", -- K
  query_missing = "Query with ID '%s' does not exist.", -- I
  query_ended = "Query with ID '%s' has ended.", -- I
  query_limit = "Account maximum query concurrency limit of [30] reached.", -- K
  query_parse = "The simulator has parse with a pattern of stars (*) only, not with a regular expression.", -- ours
  query_language = "The simulator has queries in CWLI only, not %s.", -- ours
  filter_missing = "The specified metric filter does not exist.", -- S
  record = "The log record pointer is not valid.", -- I
}

facts.durations = { -- seconds
  ingest = 3, -- I: a container's line to where FilterLogEvents finds it, 2-5
  query_start = 0.5, -- I
  query = 2, -- I, 1-10
  results = 7 * 86400, -- D: how long the results of a query are kept
  too_old = 14 * 86400, -- D
  too_new = 2 * 3600, -- D
  span = 86400, -- D
}

facts.limits = {
  page = 10000, -- S
  page_bytes = 1048576, -- D: about 1 MB
  groups = 50, -- S: of a page
  queries = 30, -- D: at once
  rows = 10000, -- S
}

facts.retention = { -- S
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

return facts
