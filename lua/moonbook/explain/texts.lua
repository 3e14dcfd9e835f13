--- What ECS's own words say: stop reasons of tasks and "was unable to place" events to causes.
--
-- ECS has no codes for these; the words are what there is. Each rule is { code, words... }: it fits when
-- every one of its words is in the text (a word may be a list of alternatives). The first that fits
-- counts, so what is special comes before what is general. Pure: nothing here calls AWS.

local texts = {}

local NO_ROUTE = {
  "connection issue", "i/o timeout", "context deadline exceeded", "request send failed", "no route to host",
  "connection refused", "connection reset", "no such host", "awaiting headers", "dial tcp", "StatusCode: 0,",
  "signal: killed", -- the agent's own command ran out of time
}
local DENIED = { "AccessDenied", "not authorized to perform" }

local PULL = { "CannotPull", "pull image manifest", "ref pull has been retried" }
local INIT = "ResourceInitializationError"
local START = { "CannotStartContainerError", "CannotCreateContainerError" }

local rules = {
  -- the image
  { "image_wrong_architecture", PULL, { "matching platform", "no matching manifest", "no match for platform" } },
  { "image_name_invalid", PULL, "invalid reference format" },
  { "image_rate_limited", PULL, { "toomanyrequests", "pull rate limit", "Rate exceeded", "429 Too Many" } },
  { "image_denied", PULL, { "pull access denied", "403 Forbidden", "401 Unauthorized", "insufficient_scope",
    "no basic auth credentials", "denied: ", "AccessDenied", "not authorized" } },
  { "image_unreachable", PULL, NO_ROUTE },
  { "image_broken", PULL, { "failed to unpack", "no space left", "failed to register layer", "unexpected EOF" } },
  { "image_not_found", PULL, { "not found", "manifest unknown", "does not exist" } },
  { "task_setup_failed", PULL },

  -- secrets and parameters
  { "secret_no_version", INIT, "secret value for staging label" },
  { "secret_key_missing", INIT, "did not contain json key" },
  { "secret_denied", INIT, DENIED, { "secretsmanager:", "ssm:", "kms:" } },
  { "secret_missing", INIT, { "can't find the specified secret", "invalid parameters:", "ParameterNotFound",
    "was marked for deletion" } },
  { "secret_denied", INIT, DENIED, { "from asm", "from ssm", "secrets from" } },
  { "registry_denied", INIT, DENIED, { "ecr:", "registry auth" } },
  { "secrets_unreachable", INIT, { "from asm", "from ssm", "Secrets Manager", "Systems Manager" }, NO_ROUTE },
  { "registry_unreachable", INIT, { "Amazon ECR", "operation error ECR", "registry auth" }, NO_ROUTE },

  -- logs
  { "logs_denied", INIT, DENIED, "logs:" },
  { "log_group_missing", INIT, { "log group does not exist", "cannot find the Amazon CloudWatch log group" } },
  { "logs_unreachable", INIT, { "CloudWatch", "logger args" }, NO_ROUTE },
  { "log_driver_failed", INIT, { "logging driver", "logger args" } },

  -- other things a task needs
  { "env_file_failed", INIT, { "env file", "environment file" } },
  { "volume_failed", INIT, { "EFS", "volume", "mount" } },
  { "network_interface_failed", { "Create Network Interface", "network interface provisioning",
    "insufficient free addresses", "InvalidSubnetID", "InvalidGroup.NotFound" } },
  { "task_setup_failed", INIT },

  -- the container's start
  { "image_wrong_architecture", START, "exec format error" },
  { "entry_point_missing", START, { "executable file not found", "no such file or directory", "permission denied",
    "not found in $PATH" } },
  { "container_cannot_start", START },
  { "container_start_timeout", "ContainerRuntimeTimeoutError" },
  { "out_of_memory", { "OutOfMemory", "oom-kill" } },

  -- no place for the task
  { "capacity_unavailable", "Capacity is unavailable" },
  { "quota_exceeded", { "reached the limit on the number of", "limit on the number of vCPUs" } },
  { "no_instances", "no container instance met all of its requirements" },
  { "bounds_block", "unable to stop or start tasks during a deployment" },
}

local function has_word(text, word)
  if type(word) == "string" then
    return text:find(word, 1, true) ~= nil
  end
  for _, alternative in ipairs(word) do
    if text:find(alternative, 1, true) then
      return true
    end
  end
  return false
end

local function fits(rule, text)
  for index = 2, #rule do
    if not has_word(text, rule[index]) then
      return false
    end
  end
  return true
end

--- The code of the cause that the words name, or nil when they name none.
function texts.code(text)
  for _, rule in ipairs(text and rules or {}) do
    if fits(rule, text) then
      return rule[1]
    end
  end
  return nil
end

-- An IAM role by its name, of "arn:aws:sts::1:assumed-role/NAME/SESSION" or a role's ARN.
local function role_name(text)
  return text:match("assumed%-role/([^/%s]+)/") or text:match(":role/([^%s]+)")
end

--- What the words say besides: { secret, role, action, platform }, each nil when they do not. `secret` is a
-- secret's or parameter's ARN or name.
function texts.values(text)
  text = text or ""
  return {
    secret = text:match("failed to fetch secret (%S+) from")
      or text:match("on resource: (arn:%S+)")
      or text:match("invalid parameters: ([^%s,]+)"),
    role = role_name(text),
    action = text:match("not authorized to perform: (%S+)"),
    platform = text:match("matching platform '([^']+)'") or text:match("no matching manifest for (%S+)"),
  }
end

return texts
