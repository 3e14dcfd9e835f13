--- The words of ECS that clients may compare, with {placeholders}.
--
-- Each entry is { text, mark }. The mark says where the wording comes from: S the service's model,
-- D its documentation, O observed, O1 observed once, K widely known, I inferred.

local texts = {}

-- ---- service events ------------------------------------------------------------------------------

texts.events = {
  steady = { "(service {S}) has reached a steady state.", "O" },
  started = { "(service {S}) has started {n} tasks: {tasks}.", "O" },
  replaced = {
    "(service {S}) has started {n} tasks: {tasks}. Amazon ECS replaced {n} tasks due to an unhealthy status.", "O" },
  stopped = { "(service {S}) has stopped {n} running tasks: {tasks}.", "O" },
  cancelled = { "(service {S}) stopped {n} pending tasks.", "O" },
  registered = { "(service {S}) registered {n} targets in (target-group {TG})", "O" },
  deregistered = { "(service {S}) deregistered {n} targets in (target-group {TG})", "O" },
  draining = { "(service {S}, taskSet {id}) has begun draining connections on {n} tasks.", "O" },
  completed = { "(service {S}) (deployment {id}) deployment completed.", "O" },
  failed = { "(service {S}) (deployment {id}) deployment failed: tasks failed to start.", "O" },
  failed_alarm = { "(service {S}) (deployment {id}) deployment failed: alarm detected.", "O" },
  stage_failed = { "service {S} deployment failed: {why}", "O" }, -- of deployments with lifecycle stages
  rolling_back = { "(service {S}) rolling back to deployment {id}.", "O" },
  target_unhealthy = {
    "(service {S}) (task {T}) (port {p}) is unhealthy in (target-group {TG}) due to (reason {why}).", "O" },
  container_unhealthy = { "(service {S}) (task {T}) failed container health checks.", "O" },
  not_placed = { "(service {S}) was unable to place a task. Reason: {why}.", "O" },
  no_instances = {
    "(service {S}) was unable to place a task because no container instance met all of its requirements. "
      .. "Reason: No Container Instances were found in your cluster. For more information, see the "
      .. "Troubleshooting section of the Amazon ECS Developer Guide.", "K" },
  inconsistent = {
    "(service {S}) is unable to consistently start tasks successfully. For more information, see the "
      .. "Troubleshooting section of the Amazon ECS Developer Guide.", "O" },
  cannot_move = {
    "(service {S}) was unable to stop or start tasks during a deployment because of the service deployment "
      .. "configuration. Update the minimumHealthyPercent or maximumPercent value and try again.", "D" },
  protected = {
    "(service {S}) was unable to reach steady state because (taskSet {id}) was unable to scale in due to "
      .. "(reason {n} tasks under protection)", "O" },
}

-- Why a task could not be placed; the event adds the full stop.
texts.placement = {
  unavailable = {
    "Capacity is unavailable at this time. Please try again later or in a different availability zone", "D" },
  limit = { "You've reached the limit on the number of tasks you can run concurrently", "D" },
}

-- ---- deployments ---------------------------------------------------------------------------------

texts.rollout = {
  in_progress = { "ECS deployment {id} in progress.", "O" },
  completed = { "ECS deployment {id} completed.", "O" },
  failed = { "ECS deployment circuit breaker: tasks failed to start.", "O" },
  failed_alarm = { "ECS deployment failed: alarm detected.", "I" },
  rolling_back = { "ECS deployment circuit breaker: rolling back to deploymentId {id}.", "O" },
  failed_stage = { "ECS deployment failed: lifecycle stage failed.", "I" },
  rolling_back_alarm = { "ECS deployment rolling back to deploymentId {id}: alarm detected.", "I" },
  rolling_back_request = { "ECS deployment rolling back to deploymentId {id}.", "I" },
  stopped = { "ECS deployment stopped by user.", "I" },
}

texts.service_deployment = {
  rolled_back = { "Service deployment rolled back because the circuit breaker threshold was exceeded.", "O" },
  rolled_back_alarm = { "Service deployment rolled back because of an alarm.", "I" },
  rolled_back_request = { "Service deployment rolled back because of a user request.", "I" },
  rolling_back = { "Rollback in progress because the circuit breaker threshold was exceeded.", "I" },
  rolling_back_alarm = { "Rollback in progress because of an alarm.", "I" },
  rolling_back_request = { "Rollback in progress because of a user request.", "I" },
  stopped = { "Service deployment stopped because the circuit breaker threshold was exceeded.", "I" },
  stopped_alarm = { "Service deployment stopped because of an alarm.", "I" },
  superseded = { "Service deployment stopped because a newer service deployment was started.", "I" },
  deleted = { "Service deployment stopped because the service was deleted.", "I" },
  no_candidate = { "No rollback candidate was found to run the rollback.", "O" },
  rollback_failed = { "Service deployment rollback failed: tasks failed to start.", "I" },
  hook_failed = {
    "Service deployment rolled back because {stage} lifecycle hook(s) failed. Lifecycle hook target {arn} returned "
      .. "FAILED status.", "O" },
  hook_timed_out = { "Service deployment rolled back because {stage} lifecycle hook(s) timed out.", "I" },
  pause_timed_out = { "Service deployment rolled back because {stage} pause hook timed out.", "D" },
}

-- What is wrong with the rules between which traffic is to shift: the reason of the rollback.
local networking = "Service deployment rolled back because of invalid networking configuration"
texts.networking = {
  rules = { networking .. ". One or more rules not found", "O1" },
  unassociated = {
    networking .. ": Target group {arn} is not associated with either productionListenerRule or testListenerRule.",
    "D" },
  serving = {
    networking .. ". productionListenerRule {rule} should have exactly one target group serving traffic but found "
      .. "{n} target groups which are serving traffic", "D" },
  unexpected = {
    networking .. ". Production listener rule is forwarding traffic to unexpected target group {arn}. Expected "
      .. "traffic to be forwarded to either targetGroupArn: {first} or alternateTargetGroupArn: {second}", "D" },
}

-- ---- why tasks stop ------------------------------------------------------------------------------

texts.stopped = {
  essential = { "Essential container in task exited", "O" },
  target_unhealthy = { "Task failed ELB health checks in (target-group {TG})", "O" },
  container_unhealthy = { "Task failed container health checks", "O" },
  scaling = { "Scaling activity initiated by (deployment {id})", "O" },
  user = { "Task stopped by user", "I" },
  spot = { "Your Spot Task was interrupted.", "O" },
  out_of_memory = { "OutOfMemoryError: Container killed due to memory usage", "O" },
  no_interface = { "Unexpected EC2 error while attempting to Create Network Interface: {why}", "K" },
}

local init = "ResourceInitializationError: "
local auth = init .. "unable to pull secrets or registry auth: "

texts.start = {
  image_missing = {
    "CannotPullContainerError: pull image manifest has been retried {n} time(s): failed to resolve ref "
      .. "{image}: not found", "O" },
  image_denied = {
    "CannotPullContainerError: pull image manifest has been retried {n} time(s): failed to resolve ref "
      .. "{image}: pull access denied, repository does not exist or may require authorization: server "
      .. "message: insufficient_scope: authorization failed", "O" },
  platform = {
    "CannotPullContainerError: pull image manifest has been retried 7 time(s): image Manifest does not "
      .. "contain descriptor matching platform '{platform}'", "O" },
  entry_point = { "CannotStartContainerError: {why}", "D" },
  no_route_ecr = {
    auth .. "The task cannot pull registry auth from Amazon ECR: There is a connection issue between the "
      .. "task and Amazon ECR. Check your task network configuration. operation error ECR: "
      .. "GetAuthorizationToken, exceeded maximum number of attempts, 3, https response error StatusCode: "
      .. "0, RequestID: , request send failed, Post \"https://api.ecr.{r}.amazonaws.com/\": dial tcp "
      .. "{ip}:443: i/o timeout", "O" },
  no_route_secretsmanager = {
    auth .. "unable to retrieve secret from asm: There is a connection issue between the task and AWS "
      .. "Secrets Manager. Check your task network configuration. failed to fetch secret {arn} from secrets "
      .. "manager: operation error Secrets Manager: GetSecretValue, https response error StatusCode: 0, "
      .. "RequestID: , canceled, context deadline exceeded", "O" },
  no_route_ssm = {
    auth .. "unable to retrieve secrets from ssm: The task cannot pull secrets from AWS Systems Manager. "
      .. "There is a connection issue between the task and AWS Systems Manager Parameter Store. Check your "
      .. "task network configuration.", "O" },
  secret_denied = {
    auth .. "execution resource retrieval failed: unable to retrieve secret from asm: service call has been "
      .. "retried 1 time(s): failed to fetch secret {arn} from secrets manager: AccessDeniedException: User: "
      .. "{role} is not authorized to perform: secretsmanager:GetSecretValue on resource: {arn} because no "
      .. "identity-based policy allows the secretsmanager:GetSecretValue action", "O" },
  secret_missing = {
    auth .. "execution resource retrieval failed: unable to retrieve secret from asm: service call has been "
      .. "retried 1 time(s): failed to fetch secret {arn} from secrets manager: ResourceNotFoundException: "
      .. "Secrets Manager can't find the specified secret.", "I" },
  secret_no_version = {
    auth .. "execution resource retrieval failed: unable to retrieve secret from asm: service call has been "
      .. "retried 1 time(s): failed to fetch secret {arn} from secrets manager: ResourceNotFoundException: "
      .. "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT", "I" },
  parameter_denied = {
    auth .. "execution resource retrieval failed: unable to retrieve secrets from ssm: service call has been "
      .. "retried 1 time(s): AccessDeniedException: User: {role} is not authorized to perform: "
      .. "ssm:GetParameters on resource: {arn} because no identity-based policy allows the "
      .. "ssm:GetParameters action", "I" },
  parameter_missing = {
    auth .. "execution resource retrieval failed: unable to retrieve secrets from ssm: service call has been "
      .. "retried 1 time(s): invalid parameters: {name}", "I" },
  registry_denied = {
    auth .. "execution resource retrieval failed: unable to retrieve ecr registry auth: service call has "
      .. "been retried 3 time(s): AccessDeniedException: User: {role} is not authorized to perform: "
      .. "ecr:GetAuthorizationToken on resource: * because no identity-based policy allows the "
      .. "ecr:GetAuthorizationToken action", "K" },
  log_group = {
    init .. "failed to validate logger args: The task cannot find the Amazon CloudWatch log group defined in "
      .. "the task definition. There is a connection issue between the task and Amazon CloudWatch. Check "
      .. "your network configuration.", "O" },
}

-- ---- errors of operations ------------------------------------------------------------------------

local invalid = "InvalidParameterException"

-- { code, text, mark }
texts.errors = {
  cluster_missing = { "ClusterNotFoundException", "Cluster not found.", "K" },
  cluster_other = { invalid, "Identifier is for cluster {a}. Your cluster is {b}", "K" },
  cluster_name = { invalid, "Cluster names must match [a-zA-Z0-9_-]{1,255}.", "I" },
  cluster_services = {
    "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.", "K" },
  cluster_tasks = {
    "ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.", "K" },
  setting = { invalid, "Invalid cluster setting: {name} = {value}.", "I" },
  capacity_provider = {
    invalid, "The specified capacity provider '{name}' was not found. Specify a valid capacity provider and "
      .. "try again.", "K" },

  service_missing = { "ServiceNotFoundException", "Service not found.", "K" },
  service_inactive = { "ServiceNotActiveException", "Service was not ACTIVE.", "O" },
  service_in_use = { invalid, "Creation of service was not idempotent.", "O" },
  service_draining = { invalid, "Unable to Start a service that is still Draining.", "I" },
  service_scaled = { invalid, "The service cannot be stopped while it is scaled above 0.", "K" },
  service_name = { invalid, "Service names must match [a-zA-Z0-9_-]{1,255}.", "I" },
  services_empty = { invalid, "Services cannot be empty.", "K" },
  services_many = { invalid, "Cannot describe more than 10 services.", "I" },
  desired_count = { invalid, "Desired count must be 0 or more.", "I" },
  launch_and_strategy = {
    invalid, "Specifying both a launch type and capacity provider strategy is not supported. Remove one and "
      .. "try again.", "K" },
  launch_type = { invalid, "Task definition does not support launch_type {type}.", "K" },
  network_missing = {
    invalid, "Network Configuration must be provided when networkMode 'awsvpc' is specified.", "K" },
  network_needless = {
    invalid, "Network Configuration is not valid for the given networkMode of this task definition.", "K" },
  subnet_missing = {
    invalid, "Error retrieving subnet information for [{id}]: The subnet ID '{id}' does not exist "
      .. "(ErrorCode: InvalidSubnetID.NotFound)", "K" },
  group_unknown = {
    invalid, "Error retrieving security group information for [{id}]: The security group '{id}' does not exist "
      .. "(ErrorCode: InvalidGroup.NotFound)", "K" },
  container_missing = { invalid, "The container {name} does not exist in the task definition.", "K" },
  port_missing = { invalid, "The container {name} did not have a container port {port} defined.", "K" },
  group_missing = { invalid, "The target group {arn} does not exist.", "I" },
  group_unattached = {
    invalid, "The target group with targetGroupArn {arn} does not have an associated load balancer.", "K" },
  grace_without_balancer = {
    invalid, "Health check grace period is only valid for services configured to use load balancers", "K" },
  grace_range = { invalid, "Health check grace period must be between 0 and 2147483647.", "I" },
  percent_blocked = {
    invalid, "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.", "K" },
  percent_range = { invalid, "{name} must be between {low} and {high}.", "I" },
  threshold = { invalid, "The threshold configuration of the deployment circuit breaker is invalid.", "I" },
  choice = { invalid, "{value} is not a valid value for {name}.", "I" },

  update_codedeploy = {
    invalid, "Unable to update {what} on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to "
      .. "trigger a new deployment.", "O" },
  force_codedeploy = {
    invalid, "Cannot force a new deployment on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy "
      .. "to trigger a new deployment.", "O" },
  update_external = {
    invalid, "Unable to update {what} on services with an EXTERNAL deployment controller.", "I" },
  force_external = {
    invalid, "Cannot force a new deployment on services with an EXTERNAL deployment controller.", "I" },

  definition_missing = { "ClientException", "TaskDefinition not found.", "I" },
  definition_inactive = { "ClientException", "TaskDefinition is inactive", "I" },
  definition_undescribed = { "ClientException", "Unable to describe task definition.", "O" },
  definition_family = {
    "ClientException", "Family contains invalid characters.", "I" },
  definition_revision = { "ClientException", "TaskDefinition must be given with its revision.", "I" },
  containers_empty = { "ClientException", "Container list cannot be empty.", "K" },
  container_image = { "ClientException", "Container.image should not be null or empty.", "K" },
  container_name = { "ClientException", "Container.name should not be null or empty.", "K" },
  container_twice = { "ClientException", "Container name {name} is used more than once.", "I" },
  container_essential = { "ClientException", "At least one container must be essential.", "I" },
  fargate_network = { "ClientException", "Fargate only supports network mode ‘awsvpc’.", "K" },
  fargate_cpu = { "ClientException", "Fargate requires that 'cpu' be defined at the task level.", "K" },
  fargate_memory = { "ClientException", "Fargate requires that 'memory' be defined at the task level.", "K" },
  fargate_size = { "ClientException", "No Fargate configuration exists for given values.", "K" },
  fargate_port = {
    "ClientException", "When networkMode=awsvpc, the host ports and container ports in port mappings must "
      .. "match.", "K" },
  role_images = {
    "ClientException", "Fargate requires task definition to have execution role ARN to support ECR images.", "K" },
  role_logs = {
    "ClientException", "Fargate requires task definition to have execution role ARN to support log driver "
      .. "awslogs.", "K" },
  role_secrets = {
    "ClientException", "When you are specifying container secrets, you must also specify a value for "
      .. "'executionRoleArn'.", "K" },
  health_check = { "ClientException", "Container health check {name} must be between {low} and {high}.", "I" },
  stop_timeout = { "ClientException", "Container stopTimeout must be at most 120 seconds on Fargate.", "I" },

  task_missing = { invalid, "The referenced task was not found.", "O" },
  tasks_empty = { invalid, "Tasks cannot be empty.", "K" },
  tasks_many = { invalid, "Cannot describe more than 100 tasks.", "I" },
  task_count = { invalid, "Count must be between 1 and 10.", "I" },
  page_size = { invalid, "maxResults must be between 1 and {high}.", "I" },
  protection = { invalid, "expiresInMinutes must be between 1 and {high}.", "I" },
  container_unknown = { invalid, "The container {name} does not exist in the task.", "I" },
  not_connected = {
    "TargetNotConnectedException", "The execute command failed due to an internal error. Try again later.", "K" },
  exec_disabled = {
    invalid, "The execute command failed because execute command was not enabled when the task was run or the "
      .. "execute command agent isn’t running. Wait and try again or run a new task with execute command "
      .. "enabled and try again.", "K" },

  deployment_missing = { "ServiceDeploymentNotFoundException", "The service deployment does not exist.", "D" },
  deployment_over = {
    "ConflictException", "The service deployment is in the {status} state and cannot be stopped.", "I" },
  deployment_abort = { "UnsupportedFeatureException", "Stop type ABORT is not supported.", "O1" },
  continue_over = {
    invalid, "Continuing a service deployment is not allowed for service deployment in terminal states.", "D" },
  hook_id = { invalid, "Invalid hookId: hookId must follow the format: ecs-{hookType}-{id}", "D" },
  hook = {
    invalid, "Provided hookId is either completed, unavailable, or not associated with the given Resource ARN", "D" },
  hook_type = { invalid, "Invalid targetType. Valid values are: AWS_LAMBDA, PAUSE", "D" },
  hook_target = { invalid, "hookTargetArn is required for lifecycle hooks of type AWS_LAMBDA.", "I" },
  hook_stages = { invalid, "lifecycleStages must not be empty.", "I" },
  hook_pause_stage = { invalid, "Invalid lifecycle stage provided for Pause Hook", "D" },
  steps_of_other = { invalid, "{name} is only valid when the deployment strategy is {strategy}.", "I" },
  percent_steps = { invalid, "The percentage of {name} must be a multiple of 0.1.", "I" },
  advanced_mixed = {
    invalid, "Either all or none of the provided loadBalancers must have advancedConfiguration defined", "D" },
  advanced_missing = {
    invalid, "advancedConfiguration field is required for all loadBalancers when using a non-ROLLING deployment "
      .. "strategy", "D" },
  rule_arn = {
    invalid, "{name} has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: {arn}", "D" },
  rule_missing = { invalid, "productionListenerRule is required in advancedConfiguration.", "I" },
  rule_twice = {
    invalid, "The following rules cannot be used as both production and test listener rules: {arn}", "D" },
  rule_for_tests = {
    invalid, "For Application LoadBalancer, testListenerRule is required when productionListenerRule is not "
      .. "associated with both targetGroup and alternateTargetGroup", "D" },
  group_twice = { invalid, "Duplicate targetGroupArn found: {arn}", "D" },
  setting_name = { invalid, "Invalid setting name: {name}.", "I" },
  resource_missing = { invalid, "The specified resource was not found: {arn}.", "I" },
}

--- A text with its placeholders filled in.
function texts.fill(entry, values)
  return (entry[1]:gsub("{(%a+)}", values))
end

--- Ends the operation with one of texts.errors.
function texts.fail(world, name, values)
  local entry = texts.errors[name]
  world:fail(entry[1], (entry[2]:gsub("{(%a+)}", values or {})))
end

return texts
