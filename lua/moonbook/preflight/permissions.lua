--- What the execution role may do, and what whoever runs this may do, asked of IAM's policy simulator.
--
-- The simulator knows the policies of the role. A secret, a repository or a key may have a policy of its own that
-- allows more: where one has, a refusal is not taken for certain.
-- Uses: iam.simulate_principal_policy, sts.get_caller_identity, iam.get_role,
-- secretsmanager.get_resource_policy, ecr.get_repository_policy.

local images = require "moonbook.images"
local logs = require "moonbook.preflight.logs"
local secrets = require "moonbook.preflight.secrets"

local subject = {}

-- ---- what is needed ------------------------------------------------------------------------------

local function needs_of_images(pass, needs)
  local arns = {}
  for _, container in ipairs(pass.definition.container_definitions) do
    local parts = images.parse(container.image)
    if parts.account then
      arns[#arns + 1] = ("arn:%s:ecr:%s:%s:repository/%s"):format(
        pass.partition,
        parts.region,
        parts.account,
        parts.repository
      )
    end
  end
  if #arns > 0 then
    needs[#needs + 1] = { actions = { "ecr:GetAuthorizationToken" }, resources = { "*" } }
    needs[#needs + 1] = {
      actions = { "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer" },
      resources = pass.unique(arns),
    }
  end
end

local function needs_of_logs(pass, needs)
  local streams, groups = {}, {}
  for _, driver in ipairs(logs.drivers(pass)) do
    local group = ("arn:%s:logs:%s:%s:log-group:%s"):format(
      pass.partition,
      driver.region,
      pass.account,
      driver.group or ""
    )
    streams[#streams + 1] = ("%s:log-stream:%s/%s/task"):format(group, driver.prefix or "ecs", driver.container)
    groups[#groups + 1] = driver.creates and group or nil
  end
  if #streams > 0 then
    needs[#needs + 1] = {
      actions = { "logs:CreateLogStream", "logs:PutLogEvents" },
      resources = pass.unique(streams),
    }
  end
  if #groups > 0 then
    needs[#needs + 1] = { actions = { "logs:CreateLogGroup" }, resources = pass.unique(groups) }
  end
end

-- The key of the account that a secret is encrypted with; nil for AWS's own, which needs no permission.
local function key_of(secret)
  local key = secret and secret.kms_key_id
  return key and key:find(":key/", 1, true) and key or nil
end

local function needs_of_secrets(pass, needs)
  local secret_arns, parameter_arns, keys = {}, {}, {}
  for _, item in ipairs(secrets.named(pass)) do
    local described = item.kind == "secret" and pass:get("secrets")[item.id]
    if item.kind == "parameter" then
      parameter_arns[#parameter_arns + 1] = item.arn
        or ("arn:%s:ssm:%s:%s:parameter/%s"):format(
          pass.partition,
          item.region,
          item.account or pass.account,
          (item.name:gsub("^/", ""))
        )
    elseif not (described and described.missing) then
      secret_arns[#secret_arns + 1] = described and described.arn or item.id
      keys[#keys + 1] = key_of(described)
    end
  end
  local function need(action, arns)
    if #arns > 0 then
      needs[#needs + 1] = { actions = { action }, resources = pass.unique(arns) }
    end
  end
  need("secretsmanager:GetSecretValue", secret_arns)
  need("ssm:GetParameters", parameter_arns)
  need("kms:Decrypt", keys)
end

-- ---- asking --------------------------------------------------------------------------------------

-- One decision as { action, resource, decision, lacks = context keys that were missing }.
local function decisions_of(result)
  local list, parts = {}, result.resource_specific_results or {}
  for _, part in ipairs(parts) do
    list[#list + 1] = {
      action = result.eval_action_name,
      resource = part.eval_resource_name,
      decision = part.eval_resource_decision,
      lacks = part.missing_context_values or {},
    }
  end
  if #parts == 0 then
    list[1] = {
      action = result.eval_action_name,
      resource = result.eval_resource_name,
      decision = result.eval_decision,
      lacks = result.missing_context_values or {},
    }
  end
  return list
end

-- The decisions on a need that are not "allowed".
local function refusals(principal, need)
  local answer = all(iam.simulate_principal_policy, {
    policy_source_arn = principal,
    action_names = need.actions,
    resource_arns = need.resources,
    context_entries = need.context,
  })
  local list = {}
  for _, result in ipairs(answer.evaluation_results or {}) do
    for _, decision in ipairs(decisions_of(result)) do
      list[#list + 1] = decision.decision ~= "allowed" and decision or nil
    end
  end
  return list
end

local function policy_of_secret(arn)
  local answer, err = attempt(secretsmanager.get_resource_policy, { secret_id = arn })
  if err and err.code ~= "ResourceNotFoundException" then
    error(err, 0)
  end
  return answer and answer.resource_policy
end

local function policy_of_repository(arn)
  local account, name = arn:match("^arn:[^:]*:ecr:[^:]*:(%d+):repository/(.+)$")
  local answer, err = attempt(ecr.get_repository_policy, { registry_id = account, repository_name = name })
  if err and err.code ~= "RepositoryPolicyNotFoundException" and err.code ~= "RepositoryNotFoundException" then
    error(err, 0)
  end
  return answer and answer.policy_text
end

-- Why a refusal by the role's policies may not be the last word, or nil.
local function doubt(pass, refusal)
  local account = refusal.resource:match("^arn:[^:]*:[^:]*:[^:]*:(%d+):")
  if #refusal.lacks > 0 then
    return "depends on " .. table.concat(refusal.lacks, ", ")
  elseif refusal.decision == "explicitDeny" or account and account ~= pass.account then
    return nil -- in another account's resources both sides must allow it
  elseif refusal.action == "kms:Decrypt" then
    return "the key's own policy may allow it"
  end
  local read = refusal.action:find("^secretsmanager:") and policy_of_secret
    or refusal.action:find("^ecr:Batch") and policy_of_repository
    or refusal.action:find("^ecr:GetDownload") and policy_of_repository
  if not read then
    return nil
  end
  local policy, err = attempt(read, refusal.resource)
  if err and err.kind ~= "denied" then
    error(err, 0)
  end
  return (policy or err) and "a policy of its own may allow it" or nil
end

-- What a principal lacks for some needs: { refusals, gone }.
local function ask(pass, principal, needs)
  local answers, err = attempt(each, needs, function(need)
    local list = refusals(principal, need)
    for _, refusal in ipairs(list) do
      refusal.doubt = doubt(pass, refusal)
    end
    return list
  end)
  if err then
    return err.code == "NoSuchEntity" and { gone = true, refusals = {} } or error(err, 0)
  end
  local found = { refusals = {} }
  for _, list in ipairs(answers) do
    table.move(list, 1, #list, #found.refusals + 1, found.refusals)
  end
  return found
end

-- ---- reading -------------------------------------------------------------------------------------

local function actions_of(needs)
  local actions = {}
  for _, need in ipairs(needs) do
    table.move(need.actions, 1, #need.actions, #actions + 1, actions)
  end
  return actions
end

local function read_execution_role(pass)
  local arn = pass.definition.execution_role_arn
  local role = arn and pass:get(arn)
  if not arn or role and role.missing or not pass.partition then
    return
  end
  local needs = {}
  needs_of_images(pass, needs)
  needs_of_logs(pass, needs)
  needs_of_secrets(pass, needs)
  if #needs == 0 then
    return
  end
  pass:read("execution_rights", "iam:SimulatePrincipalPolicy", function()
    local found = ask(pass, arn, needs)
    found.actions = actions_of(needs)
    return found
  end)
end

-- The user or role whose policies speak for the caller, or nil when it is neither. The session of a role does
-- not tell the role's path, so the role is looked up.
local function principal_of(caller)
  local role = caller:match(":assumed%-role/([^/]+)/")
  if role then
    return iam.get_role({ role_name = role }).role.arn
  end
  return caller:find(":user/", 1, true) and caller or nil
end

-- What a deployment calls that may be denied to its caller.
local function needs_of_caller(pass)
  local needs = { { actions = { "ecs:UpdateService" }, resources = { pass.service.service_arn } } }
  if pass.registers then
    needs[#needs + 1] = { actions = { "ecs:RegisterTaskDefinition" }, resources = { "*" } }
    local roles = {}
    roles[1] = pass.definition.execution_role_arn
    roles[#roles + 1] = pass.definition.task_role_arn
    if #roles > 0 then
      needs[#needs + 1] = {
        actions = { "iam:PassRole" },
        resources = pass.unique(roles),
        context = { {
          context_key_name = "iam:PassedToService",
          context_key_type = "string",
          context_key_values = { "ecs-tasks.amazonaws.com" },
        } },
      }
    end
  end
  return needs
end

local function read_caller(pass)
  pass:read("caller_rights", "iam:SimulatePrincipalPolicy or iam:GetRole", function()
    local caller = sts.get_caller_identity({}).arn
    local principal = principal_of(caller)
    local found = principal and ask(pass, principal, needs_of_caller(pass)) or { refusals = {} }
    found.caller = caller
    -- Root needs no policy; what else has none of its own cannot be asked for.
    found.gone = found.gone or not principal and not caller:find(":root$")
    return found
  end)
end

function subject.read_more(pass)
  together {
    function()
      read_execution_role(pass)
    end,
    function()
      read_caller(pass)
    end,
  }
end

-- ---- judging -------------------------------------------------------------------------------------

-- "ecr:BatchGetImage on web": a refusal by its action and what it is refused on.
local function refused(refusal)
  if refusal.resource == "*" then
    return refusal.action
  end
  local plain = refusal.resource:match("^arn:[^:]*:[^:]*:[^:]*:[^:]*:(.+)$") or refusal.resource
  return ("%s on %s"):format(refusal.action, plain)
end

local function judge(pass, check_name, found, who, fine)
  local certain, doubtful = {}, {}
  for _, refusal in ipairs(found.refusals) do
    if refusal.doubt then
      doubtful[#doubtful + 1] = ("%s is not allowed to %s by its own policies; %s"):format(
        who,
        refused(refusal),
        refusal.doubt
      )
    else
      certain[#certain + 1] = refused(refusal)
    end
  end
  local problem = {}
  if #certain > 0 then
    problem[1] = ("%s is not allowed %s: add it to a policy of it"):format(who, table.concat(certain, ", "))
  end
  if #doubtful > 0 then
    pass:unread(check_name, table.concat(doubtful, "; "))
  end
  if #certain > 0 or #doubtful == 0 then
    pass:require_none(check_name, problem, fine)
  end
end

function subject.judge(pass)
  local rights, why = pass:get("execution_rights")
  if rights and not rights.gone then
    local name = pass.last_part(pass.definition.execution_role_arn)
    judge(pass, "execution role may do its work", rights, name, table.concat(rights.actions, ", "))
  elseif why then
    pass:unread("execution role may do its work", why)
  end
  local caller, no_caller = pass:get("caller_rights")
  if not caller then
    pass:unread("caller may deploy", no_caller)
  elseif caller.gone then
    pass:unread("caller may deploy", ("IAM cannot say what %s may do"):format(caller.caller))
  else
    judge(pass, "caller may deploy", caller, pass.last_part(caller.caller), caller.caller)
  end
end

return subject
