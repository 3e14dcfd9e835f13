--- Resources of identity and configuration: roles, policies, parameters, secrets.

local ask = require "sim.cloudformation.ask"
local properties = require "sim.cloudformation.properties"

local call, document = ask.call, properties.document
local types = {}

-- ---- roles and policies --------------------------------------------------------------------------

local role = { replace = { RoleName = true, Path = true }, required = { "AssumeRolePolicyDocument" } }
types["AWS::IAM::Role"] = role

local function put_policies(world, name, given)
  for _, arn in ipairs(given.ManagedPolicyArns or {}) do
    call(world, "iam", "attach_role_policy", { role_name = name, policy_arn = arn })
  end
  for _, policy in ipairs(given.Policies or {}) do
    call(world, "iam", "put_role_policy", {
      role_name = name, policy_name = policy.PolicyName, policy_document = document(policy.PolicyDocument),
    })
  end
end

local function drop_policies(world, name, given)
  for _, arn in ipairs(given.ManagedPolicyArns or {}) do
    ask.remove(world, "iam", "detach_role_policy", { role_name = name, policy_arn = arn })
  end
  for _, policy in ipairs(given.Policies or {}) do
    ask.remove(world, "iam", "delete_role_policy", { role_name = name, policy_name = policy.PolicyName })
  end
end

function role.create(world, given, about)
  local name = given.RoleName or about.name(64)
  local made = call(world, "iam", "create_role", {
    role_name = name, path = given.Path, description = given.Description, tags = properties.input(given.Tags),
    assume_role_policy_document = document(given.AssumeRolePolicyDocument), max_session_duration = given.MaxSessionDuration,
  }).role
  put_policies(world, name, given)
  return name, { Arn = made.arn, RoleId = made.role_id }
end

function role.update(world, resource, given)
  drop_policies(world, resource.physical, resource.properties)
  put_policies(world, resource.physical, given)
  call(world, "iam", "update_assume_role_policy", {
    role_name = resource.physical, policy_document = document(given.AssumeRolePolicyDocument),
  })
end

function role.delete(world, resource)
  drop_policies(world, resource.physical, resource.properties)
  ask.remove(world, "iam", "delete_role", { role_name = resource.physical })
end

local policy = { replace = { PolicyName = true }, required = { "PolicyName", "PolicyDocument" } }
types["AWS::IAM::Policy"] = policy

local function on_roles(world, operation, given, with_document)
  for _, name in ipairs(given.Roles or {}) do
    local run = with_document and call or ask.remove
    run(world, "iam", operation, {
      role_name = name, policy_name = given.PolicyName,
      policy_document = with_document and document(given.PolicyDocument) or nil,
    })
  end
end

function policy.create(world, given, about)
  on_roles(world, "put_role_policy", given, true)
  return about.short_name(), {}
end

function policy.update(world, resource, given)
  on_roles(world, "delete_role_policy", resource.properties)
  on_roles(world, "put_role_policy", given, true)
end

function policy.delete(world, resource)
  on_roles(world, "delete_role_policy", resource.properties)
end

local managed = { replace = "all", required = { "PolicyDocument" } }
types["AWS::IAM::ManagedPolicy"] = managed

function managed.create(world, given, about)
  local made = call(world, "iam", "create_policy", {
    policy_name = given.ManagedPolicyName or about.name(128), path = given.Path, description = given.Description,
    policy_document = document(given.PolicyDocument),
  }).policy
  for _, name in ipairs(given.Roles or {}) do
    call(world, "iam", "attach_role_policy", { role_name = name, policy_arn = made.arn })
  end
  return made.arn, { PolicyArn = made.arn, PolicyId = made.policy_id }
end

function managed.delete(world, resource)
  for _, name in ipairs(resource.properties.Roles or {}) do
    ask.remove(world, "iam", "detach_role_policy", { role_name = name, policy_arn = resource.physical })
  end
  ask.remove(world, "iam", "delete_policy", { policy_arn = resource.physical })
end

-- ---- parameters ----------------------------------------------------------------------------------

local parameter = { replace = { Name = true }, required = { "Type", "Value" } }
types["AWS::SSM::Parameter"] = parameter

local function put_parameter(world, name, given, overwrite)
  call(world, "ssm", "put_parameter", {
    name = name, type = given.Type, value = tostring(given.Value), description = given.Description, tier = given.Tier,
    allowed_pattern = given.AllowedPattern, data_type = given.DataType, overwrite = overwrite,
  })
  return name, { Type = given.Type, Value = tostring(given.Value) }
end

function parameter.create(world, given, about)
  return put_parameter(world, given.Name or "CFN-" .. about.name(200), given)
end

function parameter.update(world, resource, given)
  local _, attributes = put_parameter(world, resource.physical, given, true)
  return nil, attributes
end

function parameter.delete(world, resource)
  ask.remove(world, "ssm", "delete_parameter", { name = resource.physical })
end

-- ---- secrets -------------------------------------------------------------------------------------

local secret = { replace = { Name = true } }
types["AWS::SecretsManager::Secret"] = secret

local lower, upper, digits = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
local marks = "!#$%&()*+,-./:;<=>?@[]^_{|}~"

-- Text by chance as GenerateSecretString asks for it.
local function generated(world, wish)
  local letters = (wish.ExcludeLowercase and "" or lower) .. (wish.ExcludeUppercase and "" or upper)
    .. (wish.ExcludeNumbers and "" or digits) .. (wish.ExcludePunctuation and "" or marks)
  local excluded = wish.ExcludeCharacters or ""
  letters = letters:gsub(".", function(letter)
    return excluded:find(letter, 1, true) and "" or letter
  end)
  local value = world:id(tonumber(wish.PasswordLength) or 32, letters)
  local template = wish.SecretStringTemplate and require("sim.json").object_of(wish.SecretStringTemplate)
  if template and wish.GenerateStringKey then
    template[wish.GenerateStringKey] = value
    return require("sim.json").encode(template)
  end
  return value
end

function secret.create(world, given, about)
  local value = given.SecretString
  if not value and given.GenerateSecretString then
    value = generated(world, given.GenerateSecretString)
  end
  local made = call(world, "secretsmanager", "create_secret", {
    name = given.Name or about.name(200), description = given.Description, kms_key_id = given.KmsKeyId,
    secret_string = value, tags = properties.input(given.Tags),
  })
  return made.arn, { Id = made.arn }
end

function secret.update(world, resource, given, changed)
  call(world, "secretsmanager", "update_secret", {
    secret_id = resource.physical, description = given.Description, kms_key_id = given.KmsKeyId,
    secret_string = changed.SecretString and given.SecretString or nil,
  })
end

function secret.delete(world, resource)
  ask.remove(world, "secretsmanager", "delete_secret", {
    secret_id = resource.physical, force_delete_without_recovery = true,
  })
end


return types
