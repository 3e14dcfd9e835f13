--- Every cause that moonbook.explain names: a closed list, as data. docs/causes.md is made from it
-- (tests/causes/document.lua).
--
-- A cause has
--   title      a few words
--   summary    the sentence of a finding, its placeholders filled, or several of which the first counts whose
--              placeholders are all known; `title` when there is none
--   meaning    what is the case, in one or two sentences
--   treatment  lines: commands to run, or what to change. {cluster}, {service}, {image} and so on are
--              filled from what was found; a line with a placeholder that is not known is left out. A list in
--              the place of a line: the first of its lines whose placeholders are all known
--   hopeless   true when the deployment cannot come right without a change of something outside it,
--              however long one waits: a follower may give its verdict early
--   fault      false when nothing is wrong: somebody or something ended it, or it is just not over

local RESTART = "moonbook run deploy/restart --cluster {cluster} --service {service}"
-- Known only while there is something to go back from: after ECS has gone back itself, the command would
-- leave a version that works.
local ROLL_BACK = "{rollback_command}"
local DEPLOY_AGAIN = { "Deploy a corrected revision, or go back meanwhile: " .. ROLL_BACK, "Deploy a corrected revision" }

-- What to do, and to go back until it is done.
local function meanwhile(what)
  return { what .. "; meanwhile: " .. ROLL_BACK, what }
end
local LOG = "aws logs tail {log_group} --since 1h --log-stream-names {log_stream}"
local NETWORK = "Check that the service's subnets have a route (NAT gateway, VPC endpoint, or a public IP address) "
  .. "and that its security groups let HTTPS out, then: " .. RESTART

local causes = {}

-- ---- the image -----------------------------------------------------------------------------------

causes.image_not_found = {
  title = "Image not found",
  summary = "Image {image} is not in its registry.",
  meaning = "The registry has no image of that name, tag or digest: never pushed, deleted, or mistyped.",
  hopeless = true,
  treatment = {
    "aws ecr describe-images --repository-name {repository} --image-ids {image_id}",
    meanwhile "Push the image, or deploy a revision that names one that exists",
  },
}
causes.image_denied = {
  title = "Image denied by its registry",
  summary = "The registry does not let the task pull {image}.",
  meaning = "The registry refuses the pull: the repository is private or absent, or its policy or the execution "
    .. "role does not allow it.",
  hopeless = true,
  treatment = {
    "Correct the image's name ({image}), or give its credentials (repositoryCredentials) or a repository policy",
    "Let the execution role pull (ecr:BatchGetImage, ecr:GetDownloadUrlForLayer), then: " .. RESTART,
  },
}
causes.image_wrong_architecture = {
  title = "Image of another architecture",
  summary = "Image {image} does not run on {platform}, which the task definition asks for.",
  meaning = "The image was not built for the platform on which the task definition runs it.",
  hopeless = true,
  treatment = {
    {
      "Build {image} for {platform} (docker buildx build --platform {platform}) and push it again",
      "Build for the architecture of runtimePlatform in the task definition, or change that; meanwhile: " .. ROLL_BACK,
      "Build for the architecture of runtimePlatform in the task definition, or change that",
    },
  },
}
causes.image_name_invalid = {
  title = "Image name invalid",
  summary = "{image} is no valid name of an image.",
  meaning = "What the task definition gives as image is no valid reference.",
  hopeless = true,
  treatment = { "Correct `image` of container {container}: {image}", DEPLOY_AGAIN },
}
causes.image_rate_limited = {
  title = "Registry limits the rate of pulls",
  summary = "The registry of {image} refuses more pulls for now.",
  meaning = "The registry refuses more pulls for now, as Docker Hub does to anonymous clients.",
  treatment = { "Copy the image into ECR, or give the registry's credentials, then: " .. RESTART },
}
causes.image_unreachable = {
  title = "Registry unreachable while pulling",
  summary = "The task cannot reach the registry to download {image}.",
  meaning = "The image could not be downloaded: no connection to the registry or to the store of its layers (S3).",
  treatment = { NETWORK },
}
causes.image_broken = {
  title = "Image cannot be unpacked",
  summary = "Image {image} was downloaded but cannot be unpacked.",
  meaning = "The image was found and downloaded, but not unpacked: damaged, or larger than the task's disk.",
  treatment = { "Push the image anew, or raise ephemeralStorage in the task definition, then: " .. RESTART },
}
causes.registry_denied = {
  title = "Registry login denied",
  summary = "Execution role {role} may not log in to ECR.",
  meaning = "The execution role may not log in to ECR.",
  hopeless = true,
  treatment = {
    {
      "aws iam attach-role-policy --role-name {role} --policy-arn "
        .. "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
      "Let the execution role call ecr:GetAuthorizationToken",
    },
    "Then: " .. RESTART,
  },
}
causes.registry_unreachable = {
  title = "No route to the registry",
  summary = "The task has no route to Amazon ECR.",
  meaning = "The task cannot reach Amazon ECR to log in.",
  treatment = { NETWORK },
}

-- ---- secrets and other things a task needs -------------------------------------------------------

causes.secret_denied = {
  title = "Secret denied",
  summary = "Execution role {role} may not read {secret}.",
  meaning = "The execution role may not read a secret or parameter that the task definition names.",
  hopeless = true,
  treatment = {
    {
      "Let role {role} call {action} on {secret}, then: " .. RESTART,
      "Let the execution role read it (and use its KMS key), then: " .. RESTART,
    },
  },
}
causes.secret_missing = {
  title = "Secret missing",
  summary = "There is no secret or parameter {secret}.",
  meaning = "There is no secret or parameter of the name that the task definition gives.",
  hopeless = true,
  treatment = {
    {
      "Create {secret}, or correct valueFrom in the task definition, then: " .. RESTART,
      "Create it, or correct valueFrom in the task definition, then: " .. RESTART,
    },
  },
}
causes.secret_no_version = {
  title = "Secret without a value",
  summary = "Secret {secret} has no current value.",
  meaning = "The secret exists, but has no value with the label that is asked for (AWSCURRENT, unless said).",
  hopeless = true,
  treatment = {
    {
      "aws secretsmanager put-secret-value --secret-id {secret} --secret-string ...",
      "Give the secret a value",
    },
    "Then: " .. RESTART,
  },
}
causes.secret_key_missing = {
  title = "Secret lacks a key",
  meaning = "The secret's JSON has no key of the name that the task definition asks for.",
  hopeless = true,
  treatment = { "Add the key to the secret, or correct valueFrom in the task definition, then: " .. RESTART },
}
causes.secrets_unreachable = {
  title = "No route to the secrets",
  summary = "The task has no route to where its secrets are kept.",
  meaning = "The task cannot reach Secrets Manager or Systems Manager.",
  treatment = { NETWORK },
}
causes.log_group_missing = {
  title = "Log group missing",
  summary = "Log group {log_group} does not exist.",
  meaning = "The log group that the task definition names does not exist, so the log driver cannot start.",
  hopeless = true,
  treatment = {
    { "aws logs create-log-group --log-group-name {log_group}", "Create the log group" },
    "Then: " .. RESTART,
  },
}
causes.logs_denied = {
  title = "Log stream denied",
  summary = "Execution role {role} may not write to the log group.",
  meaning = "The execution role may not write to the log group.",
  hopeless = true,
  treatment = { "Let the execution role call logs:CreateLogStream and logs:PutLogEvents, then: " .. RESTART },
}
causes.logs_unreachable = {
  title = "No route to CloudWatch Logs",
  summary = "Log group {log_group} exists, but the task has no route to CloudWatch Logs.",
  meaning = "The log group exists, but the task cannot reach CloudWatch Logs.",
  treatment = { NETWORK },
}
causes.log_driver_failed = {
  title = "Log driver failed",
  meaning = "The container's log driver could not be set up.",
  treatment = { "Correct logConfiguration of container {container}", DEPLOY_AGAIN },
}
causes.env_file_failed = {
  title = "Environment file unreadable",
  meaning = "A file of `environmentFiles` could not be downloaded: absent, or denied to the execution role.",
  treatment = { "Put the file where the task definition says, let the execution role read it, then: " .. RESTART },
}
causes.volume_failed = {
  title = "Volume not mounted",
  meaning = "A file system of the task could not be mounted.",
  treatment = {
    "Check the file system, its mount targets and its security groups (NFS, port 2049), then: " .. RESTART,
  },
}
causes.network_interface_failed = {
  title = "No network interface",
  summary = "ECS cannot make a network interface for the task.",
  meaning = "ECS could not give the task a network interface: a subnet or security group is gone, or has no free "
    .. "addresses.",
  treatment = { "Correct subnets and security groups of the service's networkConfiguration, then: " .. RESTART },
}
causes.task_setup_failed = {
  title = "Task not set up",
  meaning = "The task failed before its containers ran, in a way that is none of the others.",
  treatment = { "Read the reason that ECS gives, below", DEPLOY_AGAIN },
}

-- ---- starting the container ----------------------------------------------------------------------

causes.entry_point_missing = {
  title = "Entry point missing",
  summary = "The command of container {container} cannot be executed: it is not in the image, or not executable.",
  meaning = "The command with which the container is to start is not in the image, or may not be executed.",
  hopeless = true,
  treatment = { "Correct entryPoint or command of container {container}, or the image", DEPLOY_AGAIN },
}
causes.container_cannot_start = {
  title = "Container cannot be started",
  summary = "Container {container} cannot be started.",
  meaning = "The runtime could not create or start the container.",
  treatment = { "Read the reason that ECS gives, below", DEPLOY_AGAIN },
}
causes.container_start_timeout = {
  title = "Container did not start in time",
  meaning = "The container runtime gave up waiting for the container.",
  treatment = { "Check dependsOn and startTimeout in the task definition, then: " .. RESTART },
}

-- ---- the application ends ------------------------------------------------------------------------

causes.out_of_memory = {
  title = "Out of memory",
  summary = "Container {container} runs out of memory ({memory} MiB).",
  meaning = "The container used more memory than it may and was killed.",
  treatment = {
    meanwhile "Raise `memory` of the task definition (now {memory} MiB), or find what uses it",
    DEPLOY_AGAIN,
  },
}
causes.container_killed = {
  title = "Container killed",
  summary = "Container {container} is killed (exit code 137) without a report of lacking memory.",
  meaning = "The process ended by SIGKILL (code 137) and ECS reports no lack of memory: something inside the task "
    .. "killed it, or memory ran out in a child process.",
  treatment = { LOG, "Watch the service's memory; raise it if it was near its limit", DEPLOY_AGAIN },
}
causes.app_segfault = {
  title = "Application crashed (segmentation fault)",
  summary = "Container {container} crashes with a segmentation fault (exit code 139).",
  meaning = "The process ended by SIGSEGV (code 139): a defect in native code, or libraries that do not fit.",
  treatment = { LOG, DEPLOY_AGAIN },
}
causes.app_terminated = {
  title = "Application ended by SIGTERM",
  summary = "Container {container} ends by SIGTERM (exit code 143), which ECS did not send.",
  meaning = "The process ended by SIGTERM (code 143) although ECS did not stop the task.",
  treatment = { LOG, DEPLOY_AGAIN },
}
causes.app_crashed = {
  title = "Application crashes",
  summary = "Container {container} ends with exit code {exit_code}.",
  meaning = "An essential container ended with an error code.",
  treatment = { LOG, DEPLOY_AGAIN },
}
causes.app_exited = {
  title = "Application ends by itself",
  summary = "Container {container} ends by itself with exit code 0, though it is to run on.",
  meaning = "An essential container ended with code 0, although a service's containers are to run on.",
  treatment = {
    "Let the container's command stay in the foreground (entryPoint and command of {container})",
    DEPLOY_AGAIN,
  },
}
causes.configuration_missing = {
  title = "Configuration missing",
  summary = {
    "Container {container} ends with exit code {exit_code}; its log says that {setting} is missing.",
    "Container {container} does not come up; its log says that {setting} is missing.",
  },
  meaning = "The application ended, and its log names a setting that it lacks.",
  treatment = { "Add {setting} to environment or secrets of container {container}", DEPLOY_AGAIN },
}
causes.dependency_unreachable = {
  title = "A dependency does not answer",
  summary = {
    "Container {container} ends with exit code {exit_code}; its log says that something it needs does not answer.",
    "Container {container} does not come up; its log says that something it needs does not answer.",
  },
  meaning = "The application ended or does not come up, and its log tells of a host (database, cache, other service) "
    .. "that it could not reach or log in to.",
  treatment = { "Check that host, its security group and the credentials, then: " .. RESTART },
}
causes.spot_interruption = {
  title = "Fargate Spot took the task back",
  summary = "Fargate Spot took {count} task(s) back.",
  meaning = "Capacity of Fargate Spot was reclaimed; the scheduler replaces the task.",
  treatment = { "Wait, or give the service a base of FARGATE in its capacity provider strategy" },
}
causes.maintenance = {
  title = "Task retired by AWS",
  meaning = "AWS ended the task for maintenance; the scheduler replaces it.",
  treatment = { "Wait; the scheduler starts another" },
}
causes.task_stopped_by_user = {
  title = "Tasks stopped by somebody",
  summary = "Somebody stopped {count} task(s): {reason}",
  meaning = "Somebody called StopTask; the scheduler replaces the task.",
  treatment = { "Ask who did: aws cloudtrail lookup-events --lookup-attributes "
    .. "AttributeKey=EventName,AttributeValue=StopTask" },
}

-- ---- health checks -------------------------------------------------------------------------------

causes.health_path_wrong = {
  title = "Health check path wrong",
  summary = "The application answers {status} at the health check's path {health_path}.",
  meaning = "The application answers the load balancer, but has no page at the health check's path.",
  treatment = {
    "aws elbv2 modify-target-group --target-group-arn {target_group} --health-check-path /...  # now {health_path}",
    meanwhile "Give the application the page, or correct the path",
  },
}
causes.health_status_not_accepted = {
  title = "Health check refused or redirected",
  summary = "The application answers {status} at {health_path}; the target group accepts {matcher}.",
  meaning = "The application answers the health check with a status that the target group does not accept and that "
    .. "is no failure of its own: a redirect, or a page that wants a login.",
  treatment = {
    {
      "Let {health_path} answer 200 to anybody, or widen the matcher (now {matcher}) of {target_group}",
      "Let the health page answer what the target group's matcher accepts; meanwhile: " .. ROLL_BACK,
      "Let the health page answer what the target group's matcher accepts",
    },
  },
}
causes.app_unhealthy = {
  title = "Application answers with errors",
  summary = "The application answers {status} at the health check's path {health_path}.",
  meaning = "The application runs and answers its health check with a server error.",
  treatment = { LOG, DEPLOY_AGAIN },
}
causes.target_timeout = {
  title = "Application does not answer in time",
  summary = "The application does not answer the health check at {health_path} within {check_timeout} seconds.",
  meaning = "The health check gets no answer in time: the application hangs, is overloaded, or waits for something; or "
    .. "the service's security group does not let the load balancer in.",
  treatment = {
    LOG,
    "Look at CPU, memory and what the health page waits for; only if it is right to be slow, raise the check's timeout",
    DEPLOY_AGAIN,
  },
}
causes.app_not_listening = {
  title = "Nothing listens on the port",
  summary = "Nothing accepts the load balancer's connections on port {port} of container {container}.",
  meaning = "The load balancer's connections to the container's port are refused: the application listens on another "
    .. "port or on localhost only, or does not get as far as listening.",
  treatment = {
    {
      "Let the application listen on 0.0.0.0:{port}, or correct containerPort",
      "Let the application listen on 0.0.0.0 and the container's port",
    },
    "Look what it says: " .. LOG,
    DEPLOY_AGAIN,
  },
}
causes.health_port_wrong = {
  title = "Health check port wrong",
  summary = "The target group checks port {health_port}, but container {container} listens on {port}.",
  meaning = "The target group checks a port that is not the container's.",
  treatment = {
    "aws elbv2 modify-target-group --target-group-arn {target_group} --health-check-port traffic-port",
    meanwhile "Let the health check ask the container's own port (traffic-port)",
  },
}
causes.slow_start = {
  title = "Application starts too slowly",
  summary = "Container {container} is stopped as unhealthy before it listens; it gets {allowed} seconds.",
  meaning = "The task is stopped as unhealthy before the application listens: it needs longer than the grace period "
    .. "and the health checks allow.",
  treatment = {
    "aws ecs update-service --cluster {cluster} --service {service} --health-check-grace-period-seconds {grace_wanted}",
    "Raise the grace period (or startPeriod of the container's check), or start faster",
  },
}
causes.container_check_failed = {
  title = "Container health check fails",
  summary = "The health check of container {container} fails.",
  meaning = "The health check of the task definition fails inside the container.",
  treatment = {
    "Run the check in the image: {health_command}",
    "Correct the container's healthCheck (command, startPeriod, timeout) or the application",
    DEPLOY_AGAIN,
  },
}
causes.targets_unhealthy = {
  title = "Load balancer finds the targets unhealthy",
  meaning = "Tasks were stopped because they failed the load balancer's health checks; how they failed them cannot be "
    .. "read any more.",
  treatment = { "moonbook run validate/service --cluster {cluster} --service {service}", DEPLOY_AGAIN },
}
causes.target_group_unused = {
  title = "Target group without traffic",
  summary = "The load balancer sends nothing to target group {target_group_name}: {reason}.",
  meaning = "The load balancer does not use the target group (no listener or rule forwards to it, or the task's "
    .. "Availability Zone is not enabled), so its targets never become healthy.",
  hopeless = true,
  treatment = {
    {
      "Let a listener's rule forward to {target_group}",
      "Attach the target group to a listener of the load balancer",
    },
  },
}
causes.balancer_error = {
  title = "Load balancer fails to check",
  meaning = "The health checks fail by an internal error of the load balancer.",
  treatment = { "Wait; if it lasts, ask AWS support" },
}

-- ---- the scheduler cannot move -------------------------------------------------------------------

causes.capacity_unavailable = {
  title = "No capacity",
  summary = "Fargate has no capacity for {service} just now.",
  meaning = "Fargate has no room for the task just now.",
  treatment = { "Wait, add subnets in other Availability Zones, or mix FARGATE into a FARGATE_SPOT strategy" },
}
causes.quota_exceeded = {
  title = "Task quota reached",
  summary = "The account's quota of running tasks is used up.",
  meaning = "The account runs as many tasks (vCPU) as its quota allows.",
  treatment = {
    "aws service-quotas list-service-quotas --service-code fargate",
    "Ask for a higher quota, or stop what is not needed",
  },
}
causes.no_instances = {
  title = "No container instances",
  summary = "No container instance of {cluster} can take the task.",
  meaning = "No container instance of the cluster can take the task: none is registered, or none has the room or the "
    .. "attributes.",
  treatment = { "Add container instances, or use Fargate" },
}
causes.bounds_block = {
  title = "Deployment bounds leave no room",
  summary = "minimumHealthyPercent {minimum} and maximumPercent {maximum} of {desired} task(s) leave no room to move.",
  meaning = "minimumHealthyPercent and maximumPercent allow neither to start a new task nor to stop an old one.",
  hopeless = true,
  treatment = {
    "aws ecs update-service --cluster {cluster} --service {service} --deployment-configuration "
      .. "minimumHealthyPercent=100,maximumPercent=200",
  },
}
causes.tasks_protected = {
  title = "Old tasks are protected",
  summary = "{protected} task(s) of the old revision are protected from scale-in.",
  meaning = "Tasks of the old revision are protected from scale-in, so the deployment cannot end.",
  treatment = {
    "aws ecs update-task-protection --cluster {cluster} --tasks ... --no-protection-enabled",
    "Wait until the protection ends or the tasks give it up",
  },
}
causes.ecs_throttled = {
  title = "ECS is throttled",
  meaning = "ECS's own calls for the service are throttled; it tries again later.",
  treatment = { "Wait; deploy fewer services at once" },
}

-- ---- ended from outside --------------------------------------------------------------------------

causes.alarm_triggered = {
  title = "Deployment alarm",
  summary = "Alarm {alarm} went off, and ECS failed the deployment for it.",
  meaning = "An alarm that the deployment watches went into ALARM, and ECS failed the deployment for it.",
  treatment = {
    "aws cloudwatch describe-alarm-history --alarm-name {alarm}",
    "Find out what the alarm measures that the new revision does worse; deploy again when it is OK",
  },
}
causes.hook_failed = {
  title = "Lifecycle hook failed",
  summary = "Lifecycle hook {hook} failed.",
  meaning = "A lifecycle hook of the deployment failed.",
  treatment = { "Read the hook's own log, correct it, and deploy again" },
}
causes.hook_timed_out = {
  title = "Lifecycle hook timed out",
  summary = "Lifecycle hook {hook} was not answered in time.",
  meaning = "The time of a lifecycle hook ran out: its function did not answer, or nobody decided at a pause.",
  treatment = { "Answer the hook in time, or give it more (timeoutConfiguration of the hook), and deploy again" },
}
causes.hook_waits = {
  title = "A hook waits for an answer",
  summary = "The deployment waits at hook {hook} for somebody to continue it.",
  meaning = "The deployment stands still at a pause hook until somebody lets it continue.",
  fault = false,
  treatment = {
    {
      "aws ecs continue-service-deployment --service-deployment-arn {deployment} --hook-id {hook} --action CONTINUE",
      "Continue the deployment",
    },
    "Or roll it back: " .. ROLL_BACK,
  },
}
causes.superseded = {
  title = "Superseded",
  summary = "A newer deployment took its place before it was complete.",
  meaning = "A newer deployment took its place before it was complete.",
  fault = false,
  treatment = { "Look at the newer one: moonbook run validate/service --cluster {cluster} --service {service}" },
}
causes.rolled_back_by_request = {
  title = "Rolled back by somebody",
  summary = "Somebody stopped the deployment and had it rolled back.",
  meaning = "Somebody stopped the deployment with a rollback.",
  fault = false,
  treatment = { "Ask who did: aws cloudtrail lookup-events --lookup-attributes "
    .. "AttributeKey=EventName,AttributeValue=StopServiceDeployment" },
}
causes.service_deleted = {
  title = "Service deleted",
  summary = "Service {service} was deleted.",
  meaning = "The service was deleted while the deployment ran.",
  fault = false,
  treatment = { "Ask who did: aws cloudtrail lookup-events --lookup-attributes "
    .. "AttributeKey=EventName,AttributeValue=DeleteService" },
}
causes.still_in_progress = {
  title = "Not over yet",
  summary = "Nothing has failed; the deployment has been under way for {age}.",
  meaning = "Nothing has failed; the deployment is still under way.",
  fault = false,
  treatment = { "Wait: a rollout takes 10 to 15 minutes, longer with a long deregistration delay" },
}
causes.tasks_failed = {
  title = "Tasks failed, reasons gone",
  summary = "{failed} task(s) failed, and why cannot be read any more.",
  meaning = "ECS counted failed tasks (and its circuit breaker may have ended the deployment for them), but their "
    .. "reasons cannot be read any more: stopped tasks vanish after an hour.",
  treatment = { "Deploy it again and ask within the hour, or look at the log group" },
}
causes.unknown = {
  title = "Not explained",
  meaning = "Something failed in a way that is none of the others; the evidence is what AWS says.",
  treatment = { "Read the evidence; moonbook run validate/service --cluster {cluster} --service {service}" },
}

return causes
