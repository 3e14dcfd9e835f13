--- The roles of the task definition: whether they are there and whether ECS tasks may take them on.
-- What the execution role may do is the subject of moonbook.preflight.permissions. Each is kept in the pass
-- under its ARN.
-- Uses: iam.get_role.

local images = require "moonbook.images"
local logs = require "moonbook.preflight.logs"
local secrets = require "moonbook.preflight.secrets"

local subject = {}

local PRINCIPAL = "ecs-tasks.amazonaws.com"

local kinds = {
  { name = "execution role", member = "execution_role_arn" },
  { name = "task role", member = "task_role_arn" },
}

-- The role, or { missing = true }.
local function read_role(arn)
  local answer, err = attempt(iam.get_role, { role_name = arn:match("([^/:]+)$") })
  if not answer and err.code ~= "NoSuchEntity" then
    error(err, 0)
  end
  return answer and answer.role or { missing = true }
end

function subject.read(pass)
  local arns = {}
  for _, kind in ipairs(kinds) do
    arns[#arns + 1] = pass.definition[kind.member]
  end
  each(pass.unique(arns), function(arn)
    pass:read(arn, "iam:GetRole", function()
      return read_role(arn)
    end)
  end)
end

-- ---- trust ---------------------------------------------------------------------------------------

-- IAM gives documents percent-encoded.
local function decode(document)
  local text = document:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end)
  local value = attempt(json.decode, text)
  return type(value) == "table" and value or {}
end

local function holds(list, wanted)
  for _, value in ipairs(type(list) == "table" and list or { list }) do
    if value == wanted or value == "*" then
      return true
    end
  end
  return false
end

local function lets_tasks_in(statement)
  local principal = statement.Principal
  local named = principal == "*" or type(principal) == "table" and holds(principal.Service, PRINCIPAL)
  return statement.Effect == "Allow" and named
    and (holds(statement.Action, "sts:AssumeRole") or holds(statement.Action, "sts:*"))
end

--- Whether a trust policy lets ECS tasks take the role on, and whether only under conditions.
local function trusts_tasks(role)
  local statements = decode(role.assume_role_policy_document or "").Statement or {}
  local list = statements.Effect and { statements } or statements
  local conditional = false
  for _, statement in ipairs(list) do
    if lets_tasks_in(statement) then
      if not statement.Condition then
        return true, false
      end
      conditional = true
    end
  end
  return conditional, conditional
end

-- ---- judging -------------------------------------------------------------------------------------

local function judge_role(pass, kind, arn)
  local exists, trusted = kind.name .. " exists", kind.name .. " trusts ECS tasks"
  local role, why = pass:get(arn)
  if not role then
    pass:unread(exists, why)
    pass:unread(trusted, why)
    return
  end
  local name = pass.last_part(arn)
  local missing = role.missing and "there is no role %s: create it, or name another one in the task definition"
  pass:require(exists, not missing, missing and missing:format(name) or name)
  if role.missing then
    return
  end
  local trusts, conditional = trusts_tasks(role)
  pass:require(
    trusted,
    trusts,
    not trusts and ("the trust policy of %s does not let %s assume it"):format(name, PRINCIPAL)
      or conditional and "under conditions, which were not evaluated"
      or PRINCIPAL
  )
end

-- What makes an execution role necessary, or nil.
local function need_of_role(pass)
  if #secrets.named(pass) > 0 then
    return "secrets are handed to its containers"
  elseif pass:on_fargate() and #logs.drivers(pass) > 0 then
    return "its containers log to CloudWatch"
  end
  for _, container in ipairs(pass.definition.container_definitions) do
    if pass:on_fargate() and images.parse(container.image).account then
      return "its images are in ECR"
    end
  end
end

function subject.judge(pass)
  for _, kind in ipairs(kinds) do
    local arn = pass.definition[kind.member]
    local need = not arn and kind.member == "execution_role_arn" and need_of_role(pass)
    if arn then
      judge_role(pass, kind, arn)
    elseif need then
      pass:require("execution role exists", false, ("the task definition names none, but %s"):format(need))
    end
  end
end

return subject
