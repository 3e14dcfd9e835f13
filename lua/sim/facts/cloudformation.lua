--- Texts, durations and limits of CloudFormation, each with the confidence mark of its source: S model,
-- D documentation, O observed, M measured, K known, I inferred.

local facts = {}

facts.errors = {
  stack_missing = "Stack with id %s does not exist", -- K
  stack_missing_short = "Stack [%s] does not exist", -- K
  stack_exists = "Stack [%s] already exists", -- K
  stack_exists_set = "Stack [%s] already exists and cannot be created again with the changeSet [%s].", -- K
  stack_name = "1 validation error detected: Value '%s' at 'stackName' failed to satisfy constraint: "
    .. "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*", -- K
  busy = "Stack:%s is in %s state and can not be updated.", -- K
  no_updates = "No updates are to be performed.", -- K
  protected = "Stack [%s] cannot be deleted while TerminationProtection is enabled", -- K
  delete_busy = "Stack [%s] cannot be deleted while in status %s", -- K
  cannot = "Stack [%s] is in %s state and can not be %s.", -- I
  set_missing = "ChangeSet [%s] does not exist", -- K
  set_exists = "ChangeSet %s already exists for stack %s", -- I
  set_status = "ChangeSet [%s] cannot be executed in its current status of [%s]", -- K
  set_busy = "The ChangeSet [%s] cannot be deleted because it is in status [%s]", -- I
  set_name = "StackName must be specified if ChangeSetName is not specified as an ARN.", -- K
  no_changes = "The submitted information didn't contain changes. Submit different information to create a change set.", -- K
  one_template = "Either Template URL or Template Body must be specified.", -- K
  template_long = "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
    .. "Member must have length less than or equal to 51200", -- K
  template_url = "TemplateURL must be a supported URL.", -- K
  template_s3 = "S3 error: %s\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html", -- K
  resource_missing = "Resource %s does not exist for stack %s", -- K
  format = "Template format error: %s", -- K
  template = "Template error: %s", -- K
  yaml = "Template format error: templates in YAML are not simulated: convert the template to JSON", -- ours
  transform = "Transforms are not simulated: %s", -- ours
  parameters_missing = "Parameters: [%s] must have values", -- K
  parameters_unknown = "Parameters: [%s] do not exist in the template", -- K
  parameter_allowed = "Parameter '%s' must be one of AllowedValues", -- K
  parameter_number = "Parameter '%s' must be a number", -- K
  parameter_length = "Parameter '%s' must contain %s %d characters", -- K
  parameter_ssm = "Unable to fetch parameters [%s] from parameter store for this account.", -- K
  parameter_previous = "Invalid input for parameter key %s. Cannot specify usePreviousValue as true for a parameter "
    .. "key not in the previous template", -- K
  capabilities = "Requires capabilities : [%s]", -- K
  export_taken = "Export with name %s is already exported by stack %s", -- K
  export_missing = "No export named %s found.", -- K
  unresolved = "Unresolved resource dependencies [%s] in the %s block of the template", -- K
  circular = "Circular dependency between resources: [%s]", -- K
  attribute = "Requested attribute %s must be a readonly property in schema for %s", -- K
}

facts.reasons = {
  user = "User Initiated", -- K
  initiated = "Resource creation Initiated", -- K
  replaces = "Requested update requires the creation of a new physical resource; hence creating one.", -- K
  cancelled = "Resource %s cancelled", -- K: creation, update
  failed = "The following resource(s) failed to %s: [%s]. ", -- K
  failed_new = "The following resource(s) failed to create: [%s]. Rollback requested by user.", -- K
  handler = 'Resource handler returned message: "%s" (RequestToken: %s, HandlerErrorCode: %s)', -- O
  service_error = "%s (Service: %s, Status Code: %d, Request ID: %s)", -- K
  breaker = "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.", -- O
  alarm = "Error occurred during operation 'ECS Deployment Alarm was triggered'.", -- I
  waited = "Exceeded attempts to wait", -- O
  validation = "Properties validation failed for resource %s with message:\n%s", -- K
  required = "#: required key [%s] not found", -- K
  model = "Model validation failed (%s)", -- K
}

facts.durations = { -- seconds
  set_pending = 1, -- I
  set_ready = 6, -- O: 5 to 10
  begin = 2, -- I: the stack's first event -> its first resources
  act = 1, -- I: a resource's first event -> it is made
  poll = 5, -- I: how often a resource is asked whether it is ready
  between = 1, -- I: one resource is done -> those that waited for it begin
  finish = 1, -- I: the last resource is done -> the stack says so
  patience = 3 * 3600 + 15, -- O: a service that never becomes steady
  opaque = 3, -- I: a resource of a type that the simulator does not have
  restored = 1, -- I
}

-- How long resources take to be made, changed and deleted; {opaque} for all others. I unless marked.
facts.seconds = {
  ["AWS::ECS::TaskDefinition"] = { 3, 3, 3 }, -- I: 2 to 5
  ["AWS::ECS::Service"] = { 5, 5, 5 }, -- then until it is steady
  ["AWS::ECS::Cluster"] = { 6, 6, 5 },
  ["AWS::ElasticLoadBalancingV2::LoadBalancer"] = { 150, 5, 10 }, -- D: 120 to 180
  ["AWS::ElasticLoadBalancingV2::TargetGroup"] = { 15, 5, 2 },
  ["AWS::IAM::Role"] = { 17, 10, 2 }, -- K: new roles are waited for
  ["AWS::IAM::Policy"] = { 16, 10, 2 },
  ["AWS::EC2::VPC"] = { 12, 5, 2 },
  ["AWS::S3::Bucket"] = { 22, 20, 3 },
}

facts.limits = {
  template_body = 51200, -- S D
  events = 100, -- K: a page
  resources = 100, -- K
  stacks = 100, -- K
}

-- Types whose making needs a capability to be acknowledged, and the properties that need the stronger one. D
facts.capable = {
  ["AWS::IAM::Role"] = "RoleName", ["AWS::IAM::Policy"] = false, ["AWS::IAM::ManagedPolicy"] = "ManagedPolicyName",
  ["AWS::IAM::User"] = "UserName", ["AWS::IAM::Group"] = "GroupName",
  ["AWS::IAM::InstanceProfile"] = "InstanceProfileName", ["AWS::IAM::AccessKey"] = false,
  ["AWS::IAM::UserToGroupAddition"] = false,
}

-- What the services are called in the errors that resources fail with. K
facts.service_names = {
  ecs = "Ecs", elbv2 = "ElasticLoadBalancingV2", logs = "CloudWatchLogs", iam = "Iam", ssm = "Ssm",
  secretsmanager = "SecretsManager", ecr = "Ecr", ec2 = "Ec2", s3 = "S3", cloudwatch = "CloudWatch",
  application_autoscaling = "ApplicationAutoScaling",
}

-- What is done to a stack, in the words of its statuses. S
facts.kinds = {
  create = { busy = "CREATE_IN_PROGRESS", done = "CREATE_COMPLETE", failed = "CREATE_FAILED", verb = "create" },
  update = { busy = "UPDATE_IN_PROGRESS", next = "cleanup", failed = "UPDATE_FAILED", verb = "update" },
  cleanup = { busy = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", done = "UPDATE_COMPLETE", patient = true },
  rollback = { busy = "ROLLBACK_IN_PROGRESS", done = "ROLLBACK_COMPLETE", failed = "ROLLBACK_FAILED", verb = "delete" },
  update_rollback = {
    busy = "UPDATE_ROLLBACK_IN_PROGRESS", next = "rollback_cleanup", failed = "UPDATE_ROLLBACK_FAILED", verb = "update",
  },
  rollback_cleanup = {
    busy = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", done = "UPDATE_ROLLBACK_COMPLETE", patient = true,
  },
  delete = { busy = "DELETE_IN_PROGRESS", done = "DELETE_COMPLETE", failed = "DELETE_FAILED", verb = "delete" },
}

-- From these an update may start. D
facts.updatable = {
  CREATE_COMPLETE = true, UPDATE_COMPLETE = true, UPDATE_ROLLBACK_COMPLETE = true, IMPORT_COMPLETE = true,
}

return facts
